import type { Scenario } from '../scenario/scenario.ts'

/** What nodes grant unless their group's policy says something else: enough for the services of most scenarios. */
const LIMITS = { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '4GiB', PIDS: 1024, RUNS: 16 } }

/**
 * A node's policy, as a config.json has it: that of its group, and where this leaves it open, every author of the scenario
 * is trusted, node.js runs on the host, and the deepest redirection is allowed.
 */
export function policyOf({ groups }: Scenario, group: number, authors: readonly string[]): Record<string, unknown> {
  return {
    REDIRECTION_DEPTH: 8,
    TRUST_TREE: { ROOTS: Object.fromEntries(authors.map((address) => [address, { DEPTH: 0 }])) },
    LIMITS,
    PREFER_TOOLCHAIN: { host: ['node.js'] },
    ...groups[group]?.policy,
  }
}
