import { isIPv4 } from 'node:net'
import type { PortAccess } from '../../protocols/service.ts'
import type { NetworkGrant } from '../base/verdict.ts'
import { coversTarget, type RunnerConfig, SELF_TARGET, targetParts } from '../config/index.ts'
import type { EgressHost, EgressPolicy } from '../egress/index.ts'
import { freeProxyPort, isListenable, type PlanEgress, siblingPorts } from './egress-targets.ts'

type NetCap = RunnerConfig['NETCAP']

/** What a service asks for of the network, and what it was granted. */
export type RunNetwork = { readonly asked: readonly string[]; readonly grant: NetworkGrant }

/** Names that this machine alone gives: whoever writes them into NETCAP means this machine. */
const LOCALHOST = 'localhost'

type RunPort = { readonly name: string; readonly port: number; readonly access?: PortAccess | undefined }

/**
 * What a run finds: each host that it may reach at its port, a proxy for what no one address can stand for, and its
 * siblings where it may reach them.
 */
export function runEgress(network: RunNetwork, ports: readonly RunPort[]): PlanEgress | undefined {
  const { grant } = network
  if (grant.mode === 'none') return undefined
  const own = ports.map(({ port }) => port)
  const granted = hostsOf(network).map(targetParts)
  const targets = granted.filter(({ host }) => isListenable(host))
  const needsProxy = grant.mode === 'open' || targets.length < granted.length
  const proxyPort = needsProxy ? freeProxyPort(own, targets) : undefined
  const names = ports.flatMap(({ name, access }) => (access === 'siblings' ? [name] : []))
  const siblings = hasSiblings(network) ? siblingPorts(names, { ports: own, targets, proxyPort }) : undefined
  return { targets, ...(proxyPort !== undefined && { proxyPort }), ...(siblings !== undefined && { siblings }) }
}

/** May it reach the other runs of its service, as far as the NETCAP in force still lets it? */
export function maySeeSiblings(network: RunNetwork, { MODE, ALLOW }: NetCap): boolean {
  return hasSiblings(network) && (MODE === 'open' || (MODE === 'allowlist' && ALLOW.includes(SELF_TARGET)))
}

function hasSiblings({ asked, grant }: RunNetwork): boolean {
  if (grant.mode === 'none') return false
  return (grant.mode === 'allowlist' ? grant.allow : asked).includes(SELF_TARGET)
}

function hostsOf({ asked, grant }: RunNetwork): readonly string[] {
  const all = grant.mode === 'allowlist' ? grant.allow : grant.mode === 'open' ? asked : []
  return all.filter((target) => target !== SELF_TARGET)
}

/**
 * What a run may reach now: what it was granted, as far as the NETCAP in force still covers it. A name may lead to an address
 * that is not public where ALLOW lists that very address and port; otherwise somebody else's name would open this machine.
 */
export function runPolicy(network: RunNetwork, { MODE, ALLOW, PORTS }: NetCap): EgressPolicy {
  const { grant } = network
  if (grant.mode === 'none' || MODE === 'none') return { hosts: [], addresses: [] }
  const isAllowed = (target: string) =>
    PORTS?.includes(targetParts(target).port) !== false &&
    (MODE === 'open' || ALLOW.some((entry) => coversTarget(entry, target)))
  const targets = hostsOf(network).filter(isAllowed)
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
