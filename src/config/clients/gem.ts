import { join } from 'node:path'
import { parse } from 'yaml'
import type { ClientReader } from './types.ts'

/** gem: the first of `:sources:`. */
export const gemSource: ClientReader = async ({ env, home, text }) => {
  for (const file of [env.GEMRC, join(home, '.gemrc'), join(home, '.config/gem/gemrc'), '/etc/gemrc']) {
    const settings: unknown = file === undefined ? undefined : parse((await text(file)) ?? '')
    if (typeof settings !== 'object' || settings === null) continue
    const sources: unknown = Object.entries(settings).find(([key]) => /^:?sources:?$/.test(key))?.[1]
    const [first]: unknown[] = Array.isArray(sources) ? sources : []
    if (typeof first === 'string') return first
  }
  return undefined
}
