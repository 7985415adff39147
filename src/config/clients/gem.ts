import { join } from 'node:path'
import { parse } from 'yaml'
import type { ClientReader, ClientSettings } from './types.ts'

/** gem: the first of `:sources:`, else Bundler's mirror of all sources. */
export const gemSource: ClientReader = async (settings) => {
  const { env, home, text } = settings
  for (const file of [env.GEMRC, join(home, '.gemrc'), join(home, '.config/gem/gemrc'), '/etc/gemrc']) {
    const found: unknown = file === undefined ? undefined : parse((await text(file)) ?? '')
    if (typeof found !== 'object' || found === null) continue
    const sources: unknown = Object.entries(found).find(([key]) => /^:?sources:?$/.test(key))?.[1]
    const [first]: unknown[] = Array.isArray(sources) ? sources : []
    if (typeof first === 'string') return first
  }
  return await bundlerMirror(settings)
}

async function bundlerMirror({ env, home, text }: ClientSettings): Promise<string | undefined> {
  const key = 'BUNDLE_MIRROR__ALL'
  if (env[key] !== undefined) return env[key]
  const file = env.BUNDLE_USER_CONFIG ?? join(env.BUNDLE_USER_HOME ?? join(home, '.bundle'), 'config')
  const found: unknown = parse((await text(file)) ?? '')
  const mirror: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  return typeof mirror === 'string' ? mirror : undefined
}
