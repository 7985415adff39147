import type { RegistryKind } from '../../../protocols/registries.ts'
import { DOCKER_HUB, parseImageRef } from '../../base/image-ref.ts'
import type { ClientRegistries, RegistryClient } from '../clients/types.ts'
import { registryOf } from './registries.ts'
import type { RunnerConfig } from './runner-schema.ts'

/** Whose service the code is for, and what the package managers of this machine are configured to use. */
export type RegistryUse = { readonly own: boolean; readonly clients?: ClientRegistries | undefined }

/**
 * Where a package index is downloaded from. `mirror`: REGISTRIES has it, so the operator named this very host; else a name of
 * the index is allowed, and it is what its own client uses.
 */
export type RegistryAddress = { readonly url: string; readonly mirror: boolean }

/** One sentence; `isAllowed`: the policy allows the index, and only an address is missing. */
export type RegistryRefusal = { readonly refused: string; readonly isAllowed: boolean }

/**
 * Every address of a package index that may be used, in order, or why there is none. Mirrors of REGISTRIES need no entry of
 * ALLOWED_STORAGE. The runner and the node both ask here, so that the node can do what the runner decided.
 */
export function registryAddresses(
  config: Pick<RunnerConfig, 'ALLOWED_STORAGE' | 'REGISTRIES'>,
  { kind, name }: { readonly kind: RegistryKind; readonly name: string },
  { own, clients = {} }: RegistryUse,
): readonly RegistryAddress[] | RegistryRefusal {
  const { key, names } = registryOf(kind)
  const mirrors = mirrorsOf(config, key, { own })
  if (mirrors.length > 0) return mirrors.map((url) => ({ url, mirror: true }))
  const isAllowed = names.some((name) =>
    config.ALLOWED_STORAGE.some((entry) => name === entry || name.endsWith(`.${entry}`)),
  )
  if (!isAllowed) return { refused: `may not download from ${names[0]}: not in ALLOWED_STORAGE`, isAllowed }
  const scope = kind === 'npm' ? /^@[^/]+(?=\/)/.exec(name)?.[0] : undefined
  const url = (scope === undefined ? undefined : clients[scope as RegistryClient]) ?? clients[kind]
  if (url !== undefined && !servesOwnAlone(config, key, url)) return [{ url, mirror: false }]
  const ownOnly = !own && mirrorsOf(config, key, { own: true }).length > 0
  const but = ownOnly ? `; the addresses in REGISTRIES.${key} serve this node's own services alone` : ''
  const refused = `no address of the ${kind} registry is known: name one in REGISTRIES.${key} of config.json${but}`
  return { refused, isAllowed }
}

/**
 * The same for the registry of an image: REGISTRIES.DOCKER, whatever registry the reference names, else that registry where
 * ALLOWED_STORAGE has its host. Docker Hub's own name is no address of its API; a mirror of it in `daemon.json` is.
 */
export function imageAddresses(
  config: Pick<RunnerConfig, 'ALLOWED_STORAGE' | 'REGISTRIES'>,
  ref: string,
  { own, clients = {} }: RegistryUse,
): readonly RegistryAddress[] | RegistryRefusal {
  const mirrors = mirrorsOf(config, 'DOCKER', { own })
  if (mirrors.length > 0) return mirrors.map((url) => ({ url, mirror: true }))
  const { registry } = parseImageRef(ref)
  const host = URL.parse(`https://${registry}`)?.hostname ?? registry
  const isAllowed = config.ALLOWED_STORAGE.some((entry) => host === entry || host.endsWith(`.${entry}`))
  if (!isAllowed) return { refused: `may not download from ${host}: not in ALLOWED_STORAGE`, isAllowed }
  if (registry !== DOCKER_HUB) return [{ url: `https://${registry}`, mirror: false }]
  const url = clients.docker
  if (url !== undefined && !servesOwnAlone(config, 'DOCKER', url)) return [{ url, mirror: false }]
  return { refused: `no address of ${DOCKER_HUB} is known: name one in REGISTRIES.DOCKER of config.json`, isAllowed }
}

/** The addresses of one key of REGISTRIES that serve this service. */
export function mirrorsOf(
  { REGISTRIES }: Pick<RunnerConfig, 'REGISTRIES'>,
  key: string,
  { own }: { own: boolean },
): string[] {
  return (REGISTRIES[key] ?? []).flatMap((mirror) => {
    if (typeof mirror === 'string') return [mirror]
    return own || !mirror.OWN_ONLY ? [mirror.URL] : []
  })
}

/** What is for own services alone does not serve others by another way. */
function servesOwnAlone(config: Pick<RunnerConfig, 'REGISTRIES'>, key: string, url: string): boolean {
  const hosts = mirrorsOf(config, key, { own: true }).map((mirror) => new URL(mirror).host)
  return hosts.includes(new URL(url).host)
}
