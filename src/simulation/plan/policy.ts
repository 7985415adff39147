import type { Scenario } from '../scenario/scenario.ts'
import type { Action } from './timeline.ts'

/** What nodes grant unless their group's policy says something else: enough for the services of most scenarios. */
const LIMITS = { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '4GiB', PIDS: 1024, RUNS: 16 } }

/** Nodes that a scenario makes others trust. */
export type Trusted<T> = {
  /** all that publish */
  readonly authors: readonly T[]
  /** all that attest or revoke */
  readonly hubs: readonly T[]
}

export function trustedIn(timeline: readonly Action[]): Trusted<number> {
  const authors = timeline.flatMap((action) => (action.do === 'publish' ? [action.node] : []))
  const hubs = timeline.flatMap((action) => (action.do === 'attest' ? [action.hub] : []))
  return { authors: [...new Set(authors)], hubs: [...new Set(hubs)] }
}

/**
 * A node's policy, as a config.json has it: that of its group, and where this leaves it open, every author and every hub of
 * the scenario is trusted, node.js runs on the host, and the deepest redirection is allowed.
 */
export function policyOf({ groups }: Scenario, group: number, trusted: Trusted<string>): Record<string, unknown> {
  return {
    REDIRECTION_DEPTH: 8,
    TRUST_TREE: { ROOTS: Object.fromEntries(trusted.authors.map((address) => [address, { DEPTH: 0 }])) },
    TRUSTED_HUBS: Object.fromEntries(trusted.hubs.map((address) => [address, {}])),
    LIMITS,
    PREFER_TOOLCHAIN: { host: ['node.js'] },
    ...groups[group]?.policy,
  }
}
