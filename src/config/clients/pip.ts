import { join } from 'node:path'
import { parse } from 'ini'
import type { ClientReader } from './types.ts'

/** pip: PIP_INDEX_URL, else `index-url` of the user's file, else of the machine's. */
export const pipIndex: ClientReader = async ({ env, home, text }) => {
  if (env.PIP_INDEX_URL !== undefined) return env.PIP_INDEX_URL
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const files = [env.PIP_CONFIG_FILE, join(config, 'pip/pip.conf'), join(home, '.pip/pip.conf'), '/etc/pip.conf']
  for (const file of files.filter((path) => path !== undefined)) {
    const found: unknown = parse((await text(file)) ?? '').global?.['index-url']
    if (typeof found === 'string') return found
  }
  return undefined
}
