import { join } from 'node:path'
import { z } from 'zod'
import type { ClientReader } from './types.ts'

const settings = z.object({ 'registry-mirrors': z.array(z.string()) })

/** Docker: the first mirror of `daemon.json`, of the user's own engine or of the machine's. It mirrors the default registry alone. */
export const dockerMirror: ClientReader = async ({ env, home, text }) => {
  const own = join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'docker/daemon.json')
  for (const file of [own, '/etc/docker/daemon.json']) {
    const [first] = settings.safeParse(JSON.parse((await text(file)) ?? '{}')).data?.['registry-mirrors'] ?? []
    if (first !== undefined) return first
  }
  return undefined
}
