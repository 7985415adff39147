import type { RegistryKind } from '../../../protocols/registries.ts'
import { imageAddresses, registryAddresses } from '../../config/index.ts'
import { bareHost, type EgressPolicy, isAddressRange, namedHost, portOfUrl } from '../../egress/index.ts'
import type { StorageConfig } from '../types.ts'
import type { FetchSource } from './child/job.ts'

/** What a source may be downloaded from: a gateway's policy, and for a package index where its API is. */
export type StorageAccess =
  | { readonly policy: EgressPolicy; readonly baseUrl?: string | undefined }
  | { readonly refused: string }

/** Registries whose metadata names the hosts of their files; the others have them at their own address. */
export const FILES_ELSEWHERE: ReadonlySet<RegistryKind | 'oci'> = new Set(['pypi', 'cargo', 'composer', 'nuget', 'oci'])
export const HTTPS_PORT = 443

/**
 * Every way to a source that the policy allows, in order. An entry of ALLOWED_STORAGE is a host with its subdomains at a dot,
 * an address, or a range of addresses; one that names a package index allows that kind, at the address that its client uses.
 * Mirrors of REGISTRIES go before that, and are the only hosts that may lead to an address that is not public without
 * ALLOWED_STORAGE naming the address.
 */
export function storageAccess(config: StorageConfig, source: FetchSource, { own = false } = {}): StorageAccess[] {
  if (source.type === 'git' || source.type === 'https')
    return [{ policy: allowedStorage(config, portOfUrl(source.url)) }]
  const use = { own, clients: config.clientRegistries }
  const found = source.type === 'oci' ? imageAddresses(config, source.ref, use) : registryAddresses(config, source, use)
  if ('refused' in found) return [found]
  const allowed = allowedStorage(config)
  const publicPorts = FILES_ELSEWHERE.has(source.type === 'oci' ? 'oci' : source.kind) ? [HTTPS_PORT] : undefined
  return found.map(({ url, mirror }) => {
    const host = namedHost(url, { privateAllowed: mirror })
    return { baseUrl: url, policy: { ...allowed, hosts: [host, ...allowed.hosts], publicPorts } }
  })
}

/** Names are allowed at the ports of the web, and at the one that the source names. */
function allowedStorage({ ALLOWED_STORAGE }: StorageConfig, port = HTTPS_PORT): EgressPolicy {
  const entries = ALLOWED_STORAGE.map(bareHost)
  return {
    hosts: entries
      .filter((entry) => !isAddressRange(entry))
      .flatMap((host) => [...new Set([80, HTTPS_PORT, port])].map((at) => ({ host, subdomains: true, port: at }))),
    addresses: entries.filter(isAddressRange),
  }
}

/** For a person's own command: the very host that they name, wherever it leads, and public names at these ports. */
export function namedHostPolicy(url: string, publicPorts: readonly number[]): EgressPolicy {
  return { hosts: [namedHost(url, { privateAllowed: true })], addresses: [], publicPorts }
}
