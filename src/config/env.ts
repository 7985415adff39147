export type Env = Readonly<Record<string, string | undefined>>

export const ENV_PREFIX = 'THUNDERCLOUD_'

const TEXTS = ['NETWORK', 'VISIBILITY', 'DATA', 'RUNTIME', 'RUNNERS', 'LOG_LEVEL'] as const
const LISTS = ['LISTEN', 'ANNOUNCE'] as const

/** What the environment says instead of node.json, still unchecked. An empty variable counts as not set. */
export function overridesFromEnv(env: Env): Record<string, unknown> {
  const overrides: Record<string, unknown> = {}
  const read = (key: string) => env[ENV_PREFIX + key] || undefined
  for (const key of TEXTS) overrides[key] = read(key)
  for (const key of LISTS)
    overrides[key] = read(key)
      ?.split(',')
      .map((item) => item.trim())
  const api = read('API')
  overrides.API = api === 'false' ? false : api
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
}
