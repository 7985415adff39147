import { InputError } from '../../base/errors.ts'
import type { NamedRegistries } from '../../code/index.ts'
import { registryAddresses, registryOf } from '../../config/index.ts'
import type { InstallRegistry } from './npm-install.ts'

/** Where npm installs from, in order: the mirrors of REGISTRIES, else what npm itself is configured to use, with its scopes. */
export async function npmRegistries({
  REGISTRIES,
  clients,
  clientAccess,
}: NamedRegistries): Promise<InstallRegistry[]> {
  const config = { REGISTRIES, ALLOWED_STORAGE: [...registryOf('npm').names] }
  const found = registryAddresses(config, { kind: 'npm', name: '' }, { own: true, clients })
  if ('refused' in found) throw new InputError(found.refused)
  return await Promise.all(
    found.map(async ({ url, mirror }) => {
      const scopes = mirror ? {} : scopesOf(clients)
      const access = await Promise.all(
        [url, ...Object.values(scopes)].map(
          async (at) => [at, (await clientAccess?.read('npm', '', at)) ?? {}] as const,
        ),
      )
      return { url, scopes, access: new Map(access) }
    }),
  )
}

function scopesOf(clients: NamedRegistries['clients']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(clients).flatMap(([of, url]) => (of.startsWith('@') && url !== undefined ? [[of, url]] : [])),
  )
}
