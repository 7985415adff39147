import type { RegistryKind } from '../../../protocols/registries.ts'
import { registryOf } from '../../config/index.ts'
import { type EgressHost, type EgressPolicy, isAddressRange } from '../../egress/index.ts'
import type { FetchSource } from '../fetcher/job.ts'
import type { StorageConfig } from '../types.ts'

/** What a source may be downloaded from: a gateway's policy, and for a package index where its API is. */
export type StorageAccess =
  | { readonly policy: EgressPolicy; readonly baseUrl?: string | undefined }
  | { readonly refused: string }

/** Registries whose metadata names the hosts of their files; the others have them at their own address. */
const FILES_ELSEWHERE: ReadonlySet<RegistryKind> = new Set(['pypi', 'cargo', 'composer', 'nuget'])
const HTTPS_PORT = 443

/**
 * Every way to a source that the policy allows, in order. An entry of ALLOWED_STORAGE is a host with its subdomains at a dot,
 * an address, or a range of addresses; one that names a package index allows that kind. Mirrors of REGISTRIES come first, and
 * are the only hosts that may lead to an address that is not public without ALLOWED_STORAGE naming the address.
 */
export function storageAccess(config: StorageConfig, source: FetchSource): StorageAccess[] {
  const allowed = allowedStorage(config)
  if (source.type !== 'registry') return [{ policy: allowed }]
  const { key, kind } = registryOf(source.kind)
  const publicPorts = FILES_ELSEWHERE.has(kind) ? [HTTPS_PORT] : undefined
  const mirrors = config.REGISTRIES[key] ?? []
  if (mirrors.length === 0) {
    return [{ refused: `no address of a ${kind} registry is known; name one in REGISTRIES.${key} of config.json` }]
  }
  return mirrors.map((baseUrl) => ({
    baseUrl,
    policy: { ...allowed, hosts: [mirrorHost(baseUrl), ...allowed.hosts], publicPorts },
  }))
}

function allowedStorage({ ALLOWED_STORAGE }: StorageConfig): EgressPolicy {
  const entries = ALLOWED_STORAGE.map(bareHost)
  return {
    hosts: entries.filter((entry) => !isAddressRange(entry)).map((host) => ({ host, subdomains: true })),
    addresses: entries.filter(isAddressRange),
  }
}

function mirrorHost(baseUrl: string): EgressHost {
  const { hostname, port, protocol } = new URL(baseUrl)
  return {
    host: bareHost(hostname),
    subdomains: false,
    port: Number(port || (protocol === 'https:' ? HTTPS_PORT : 80)),
    privateAllowed: true,
  }
}

/** An address of IPv6 has brackets in a URL alone. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
