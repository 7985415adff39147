/** What would have changed one reason, for programs: a field of the service or a fact about it, and what it must be. */
export type Need = {
  readonly field: string
  readonly must: 'at-most' | 'at-least' | 'one-of' | 'match' | 'be'
  /** A number as decimal text, or names joined by ", ". */
  readonly value: string
}

/** One rule's outcome. `defer`: not known yet, or not now. */
export type Reason = {
  readonly rule: string
  readonly outcome: 'pass' | 'fail' | 'defer'
  readonly message: string
  readonly needs?: Need | undefined
  /** A rule in mode "warn" passes; this is what it would have been. Stays on this node. */
  readonly warned?: 'fail' | 'defer' | undefined
}

export type NetworkGrant =
  | { readonly mode: 'none' }
  | { readonly mode: 'allowlist'; readonly allow: readonly string[]; readonly rateKbps?: number }
  | { readonly mode: 'open'; readonly rateKbps?: number }

/** The executors that PREFER_TOOLCHAIN has a list for, the preferred one first. */
export const LISTED_EXECUTORS = ['docker', 'host'] as const
/**
 * The executors that exist. A pool is a container in which services of one author run side by side. A swarm takes the place
 * of the engine, where DOCKER_CONFIGS.SWARM says so.
 */
export const EXECUTOR_NAMES = [...LISTED_EXECUTORS, 'pool', 'swarm'] as const
export type ExecutorName = (typeof EXECUTOR_NAMES)[number]

/** Are its runs on the machine of the node, and not on the machines of a swarm? */
export function isOnThisMachine(executor: ExecutorName): boolean {
  return executor !== 'swarm'
}

/** The limits under which a run happens. */
export type Grant = {
  readonly executor: ExecutorName
  /** where the executor is "pool": which one, by its name in CONTAINERS */
  readonly pool?: string | undefined
  readonly memoryBytes: number
  /** thousandths of a core */
  readonly cpuMillicores: number
  readonly diskBytes: number
  readonly pids: number
  /** wall time of one run; undefined = until the service expires */
  readonly timeoutSeconds?: number | undefined
  readonly network: NetworkGrant
}

/** What wakes a parked service. */
export type WakeCondition =
  | { readonly on: 'capacity' }
  /** the engine, or what a host sandbox needs, is there */
  | { readonly on: 'executor'; readonly executor: ExecutorName }
  | { readonly on: 'policy' }
  | { readonly on: 'quorum'; readonly code: string }
  | { readonly on: 'freeze'; readonly chain: string }
  | { readonly on: 'delegation'; readonly author: string }
  | { readonly on: 'replica' }

/** What a runner answers. */
export type Verdict = {
  readonly run: Grant | false
  readonly redirect: boolean
  readonly park?: readonly WakeCondition[] | undefined
  /** Services that end first, to free capacity. Ids of running services that are not the operator's own; only with `run`. */
  readonly evict?: readonly string[] | undefined
  /** What the service is worth to this node, for the order in which parked ones get capacity: more goes first. Default 0. */
  readonly rank?: number | undefined
  readonly reasons: readonly Reason[]
}
