import { isIPv4 } from 'node:net'
import type { NetworkGrant } from '../base/verdict.ts'
import { coversTarget, type RunnerConfig, targetParts } from '../config/index.ts'
import type { EgressHost, EgressPolicy } from '../egress/index.ts'
import { freeProxyPort, isListenable, type PlanEgress } from './egress-targets.ts'

type NetCap = RunnerConfig['NETCAP']

/** What a service asks for of the network, and what it was granted. */
export type RunNetwork = { readonly asked: readonly string[]; readonly grant: NetworkGrant }

/** Names that this machine alone gives: whoever writes them into NETCAP means this machine. */
const LOCALHOST = 'localhost'

/** What a run finds: each host that it may reach at its port, and a proxy for what no one address can stand for. */
export function runEgress({ asked, grant }: RunNetwork, ports: readonly number[]): PlanEgress | undefined {
  if (grant.mode === 'none') return undefined
  const granted = (grant.mode === 'allowlist' ? grant.allow : asked).map(targetParts)
  const targets = granted.filter(({ host }) => isListenable(host))
  const needsProxy = grant.mode === 'open' || targets.length < granted.length
  return { targets, ...(needsProxy && { proxyPort: freeProxyPort(ports, targets) }) }
}

/**
 * What a run may reach now: what it was granted, as far as the NETCAP in force still covers it. A name may lead to an address
 * that is not public where ALLOW lists that very address and port; otherwise somebody else's name would open this machine.
 */
export function runPolicy({ asked, grant }: RunNetwork, { MODE, ALLOW, PORTS }: NetCap): EgressPolicy {
  if (grant.mode === 'none' || MODE === 'none') return { hosts: [], addresses: [] }
  const isAllowed = (target: string) =>
    PORTS?.includes(targetParts(target).port) !== false &&
    (MODE === 'open' || ALLOW.some((entry) => coversTarget(entry, target)))
  const targets = (grant.mode === 'allowlist' ? grant.allow : asked).filter(isAllowed)
  const listed = ALLOW.map(targetParts).filter(({ host }) => isIPv4(host))
  return {
    hosts: targets.map((target) => hostOf(target, ALLOW)),
    addresses: [],
    privateTargets: listed.map(({ host, port }) => ({ address: host, port })),
    publicPorts: grant.mode === 'open' && MODE === 'open' ? (PORTS ?? 'any') : undefined,
  }
}

function hostOf(target: string, ALLOW: readonly string[]): EgressHost {
  const { host, port } = targetParts(target)
  const isOwn = host === LOCALHOST || isIPv4(host)
  return { host, subdomains: false, port, privateAllowed: isOwn && ALLOW.includes(target) }
}
