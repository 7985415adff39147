import type { RegistryKind } from '../../../protocols/registries.ts'
import { registryOf } from '../../config/index.ts'
import { type EgressHost, type EgressPolicy, isAddressRange } from '../../egress/index.ts'
import type { StorageConfig } from '../types.ts'
import type { FetchSource } from './child/job.ts'

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
  if (source.type !== 'registry') return [{ policy: allowedStorage(config, portOf(source.url)) }]
  const allowed = allowedStorage(config)
  const { key, kind } = registryOf(source.kind)
  const publicPorts = FILES_ELSEWHERE.has(kind) ? [HTTPS_PORT] : undefined
  const mirrors = config.REGISTRIES[key] ?? []
  if (mirrors.length === 0) {
    return [{ refused: `no address of the ${kind} registry is known; name one in REGISTRIES.${key} of config.json` }]
  }
  return mirrors.map((baseUrl) => ({
    baseUrl,
    policy: { ...allowed, hosts: [mirrorHost(baseUrl), ...allowed.hosts], publicPorts },
  }))
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

function mirrorHost(baseUrl: string): EgressHost {
  const { hostname } = new URL(baseUrl)
  return {
    host: bareHost(hostname),
    subdomains: false,
    port: portOf(baseUrl),
    privateAllowed: true,
  }
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url)
  return Number(port || (protocol === 'https:' ? HTTPS_PORT : 80))
}

/** An address of IPv6 has brackets in a URL alone. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
