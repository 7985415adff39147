import type { Env } from '../env.ts'
import { isHttp } from '../network-fields.ts'
import { withoutCredentials } from './authorization.ts'
import { npmScopes } from './npm.ts'
import { PACKAGE_CLIENTS } from './package-clients.ts'
import { clientSettings } from './settings.ts'
import type { ClientReader, ClientRegistries } from './types.ts'

const READERS: readonly (readonly [string, ClientReader])[] = Object.entries(PACKAGE_CLIENTS).map(
  ([kind, { address }]) => [kind, async (settings) => withoutCredentials((await address(settings))?.trim() ?? '')],
)

/**
 * What the package managers are configured to use, without the login that an address may have in it. A client without
 * settings, or with broken ones, has none: then REGISTRIES has to name one.
 */
export async function readClientRegistries(env: Env): Promise<ClientRegistries> {
  const settings = clientSettings(env)
  if (settings === undefined) return {}
  const [found, scopes] = await Promise.all([
    Promise.all(READERS.map(async ([of, read]) => [of, await read(settings).catch(() => undefined)] as const)),
    npmScopes(settings).catch(() => ({})),
  ])
  const usable = [...Object.entries(scopes), ...found].flatMap(([of, url]) =>
    url !== undefined && isHttp(url.trim()) ? [[of, url.trim()] as const] : [],
  )
  return Object.fromEntries(usable)
}
