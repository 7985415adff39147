import { getCACertificates } from 'node:tls'
import { REGISTRY_KINDS, type RegistryKind } from '../../../protocols/registries.ts'
import {
  buildSettings,
  type ClientRegistries,
  mirrorsOf,
  type RunnerConfig,
  registryAddresses,
} from '../../config/index.ts'
import { bareHost, type EgressHost, type EgressPolicy, namedHost, portOfUrl } from '../../egress/index.ts'
import { freeProxyPort, type PlanEgress, proxyVariables } from '../egress-targets.ts'

/** The network of a build: which package indexes it reaches, and what tells its clients so. */
export type BuildNetwork = {
  /** undefined: it has none */
  readonly egress: PlanEgress | undefined
  readonly policy: EgressPolicy
  /** kilobits a second; undefined: as much as any build */
  readonly rateKbps: number | undefined
  /** Variables of its environment, which those of the service go before. */
  readonly env: Readonly<Record<string, string>>
  /** Read-only files, by their absolute path. */
  readonly files: Readonly<Record<string, string>>
}

type BuildConfig = Pick<RunnerConfig, 'ALLOWED_STORAGE' | 'REGISTRIES' | 'NETCAP'>

/**
 * A build reaches REGISTRIES, each address at its own port, and where a package index has none there and its name is allowed,
 * the address that its own client is configured to use; nothing else. What is for own services alone is not there for others,
 * nor what shares a host and port with it: who reaches one path of it reaches them all.
 */
export function buildNetwork(
  config: BuildConfig,
  { own, clients }: { own: boolean; clients?: ClientRegistries | undefined },
): BuildNetwork {
  const kept = own ? new Set<string>() : ownOnlyTargets(config)
  const isOpen = (url: string) => !kept.has(targetOf(url))
  const hosts: EgressHost[] = mirrorsOf(config, 'DOCKER', { own })
    .filter(isOpen)
    .map((url) => namedHost(url, { privateAllowed: true }))
  const addresses: Partial<Record<RegistryKind, string>> = {}
  for (const kind of REGISTRY_KINDS) {
    const found = registryAddresses(config, { kind, name: '' }, { own, clients })
    if ('refused' in found) continue
    const open = found.filter(({ url }) => isOpen(url))
    // a client knows one address; the others are there for what it says of its files
    addresses[kind] = open[0]?.url
    // the operator named the hosts of REGISTRIES: those may lead to an address that is not public
    hosts.push(...open.map(({ url, mirror }) => namedHost(url, { privateAllowed: mirror })))
  }
  const policy = { hosts, addresses: [] }
  const rateKbps = config.NETCAP.RATE_KBPS
  if (hosts.length === 0) return { egress: undefined, policy, rateKbps, env: {}, files: {} }
  const targets = hosts.map(({ host, port = 443 }) => ({ host, port }))
  const proxyPort = freeProxyPort([], targets)
  const settings = buildSettings(addresses, believedAuthorities())
  const env = { ...settings.env, ...proxyVariables(proxyPort) }
  return { egress: { targets, proxyPort }, policy, rateKbps, env, files: settings.files }
}

/** All that this machine believes, where it believes more than others do: what a client is given takes the place of its own. */
function believedAuthorities(): readonly string[] {
  return getCACertificates('extra').length === 0 ? [] : getCACertificates('default')
}

function ownOnlyTargets(config: BuildConfig): Set<string> {
  const targets = Object.keys(config.REGISTRIES).flatMap((key) => {
    const open = mirrorsOf(config, key, { own: false })
    return mirrorsOf(config, key, { own: true }).filter((url) => !open.includes(url))
  })
  return new Set(targets.map(targetOf))
}

function targetOf(url: string): string {
  return `${bareHost(new URL(url).hostname)}:${portOfUrl(url)}`
}
