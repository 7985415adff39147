import type { NetworkGrant } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { coversTarget, SELF_TARGET, targetParts } from '../../config/network-target.ts'
import type { AvailableExecutor } from '../contract.ts'
import { isPublicName } from './hosts.ts'

/** What NETCAP makes of the egress that a service asks for. */
export type NetworkDecision = {
  readonly allowed: readonly string[]
  readonly refused: readonly { readonly target: string; readonly why: string }[]
  /** the grant for what is allowed */
  readonly grant: NetworkGrant
}

/**
 * MODE "none" allows nothing, "allowlist" what ALLOW covers, "open" every public name, and what ALLOW covers. PORTS
 * narrows both. `service:self` is allowed where ALLOW has it, or MODE is "open". The grant is no wider than what was asked for, but for "open" without PORTS: then it is open.
 */
export function decideNetwork(asked: readonly string[], { MODE, ALLOW, PORTS, RATE_KBPS }: RunnerConfig['NETCAP']) {
  const allowed: string[] = []
  const refused: { target: string; why: string }[] = []
  let open = MODE === 'open' && PORTS === undefined && asked.some((target) => target !== SELF_TARGET)
  for (const target of [...new Set(asked)].sort()) {
    // the other runs of the service have no port, and are reached by what the node has anyway
    if (target === SELF_TARGET && (MODE === 'open' || (MODE === 'allowlist' && ALLOW.includes(target)))) {
      allowed.push(target)
      continue
    }
    const { host, port } = targetParts(target)
    const listed = ALLOW.some((entry) => coversTarget(entry, target))
    const isPublic = MODE === 'open' && isPublicName(host.replace(/^\*\./, ''))
    const why =
      MODE === 'none'
        ? 'NETCAP grants no network'
        : target !== SELF_TARGET && PORTS?.includes(port) === false
          ? `port ${port} is not in NETCAP.PORTS`
          : listed || isPublic
            ? undefined
            : MODE === 'open'
              ? 'it is no public name, and NETCAP.ALLOW does not cover it'
              : 'NETCAP.ALLOW does not cover it'
    if (!isPublic) open = false
    if (why === undefined) allowed.push(target)
    else refused.push({ target, why })
  }
  const rate = RATE_KBPS === undefined ? {} : { rateKbps: RATE_KBPS }
  const grant: NetworkGrant =
    allowed.length === 0
      ? { mode: 'none' }
      : open
        ? { mode: 'open', ...rate }
        : { mode: 'allowlist', allow: allowed, ...rate }
  return { allowed, refused, grant } satisfies NetworkDecision
}

/** The grant as this executor can give it; undefined where it cannot. One that is open can be narrowed, never the reverse. */
export function grantBy(executor: AvailableExecutor, { grant, allowed }: NetworkDecision): NetworkGrant | undefined {
  const { networks = [] } = executor
  if (grant.mode === 'none' || networks.includes(grant.mode)) return grant
  if (grant.mode !== 'open' || !networks.includes('allowlist')) return undefined
  return { ...grant, mode: 'allowlist', allow: allowed }
}
