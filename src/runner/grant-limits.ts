import { formatBytes } from '../base/format.ts'
import { type Grant, isOnThisMachine, type NetworkGrant, type Verdict } from '../base/verdict.ts'
import { splitContainer } from '../config/files/container-name.ts'
import { coversTarget, SELF_TARGET, targetParts } from '../config/network-target.ts'
import { addressMatcher } from './andromeda/address-matcher.ts'
import type { AvailableExecutor, Capacity, NodeFacts, Resources, RunningService } from './contract.ts'

/** A verdict that runs a service, beside what it may give. */
type GrantRequest = {
  readonly grant: Grant
  readonly evict: readonly string[]
  readonly author: string
  readonly node: NodeFacts
  /** the one that the grant names, if it is there */
  readonly executor: AvailableExecutor | undefined
}

type Check = {
  /** the field of the verdict that is wrong */
  readonly field: string
  /** What is wrong with it, and what would be right; undefined where nothing is. */
  readonly problem: (request: GrantRequest) => string | undefined
}

const AMOUNTS = [
  { key: 'memoryBytes', held: 'memory', limit: 'MEMORY', format: formatBytes },
  { key: 'cpuMillicores', held: 'cpu', limit: 'CPU', format: String },
  { key: 'diskBytes', held: 'disk', limit: 'DISK', format: formatBytes },
  { key: 'pids', held: 'pids', limit: 'PIDS', format: String },
] as const satisfies readonly {
  key: keyof Grant & keyof Capacity
  held: keyof Resources
  limit: string
  format(value: number): string
}[]

/** Limits that do not depend on free capacity: LIMITS and NETCAP of the policy, the executors, and which services may be evicted. */
const LIMIT_CHECKS: readonly Check[] = [
  {
    field: 'evict',
    problem: ({ evict, node }) =>
      evict.length > 0 && !node.config.LIMITS.EVICT ? 'LIMITS.EVICT is false, so no service ends another' : undefined,
  },
  {
    field: 'evict',
    problem({ evict, node }) {
      const unknown = evict.find((id) => runningIn(node, id) === undefined)
      return unknown && `no service ${unknown} runs here; only ids that "running" of the snapshot holds are right`
    },
  },
  {
    field: 'evict',
    problem({ evict, node }) {
      const own = evict.find((id) => runningIn(node, id)?.own === true)
      return own && `${own} is the operator's own (SERVICES), which ends for no other`
    },
  },
  {
    field: 'run.executor',
    problem({ grant, executor, node }) {
      if (executor !== undefined) return undefined
      const there = node.capacity.executors.map(({ name }) => name).join(' or ')
      return `${grant.executor} is not there now; ${there || 'no executor'} is`
    },
  },
  {
    field: 'run.executor',
    problem: ({ executor, author, node }) =>
      executor?.ownOnly === true && author !== node.own
        ? `${executor.name} takes the node's own services only`
        : undefined,
  },
  {
    field: 'run.pool',
    problem({ grant: { executor: name, pool }, executor, author, node }) {
      if (name !== 'pool') return pool && `only the executor "pool" has any, and this is "${name}"`
      if (pool === undefined || !node.config.CONTAINERS.includes(pool)) return 'must be a name that CONTAINERS has'
      if (executor?.pools?.some((there) => there.name === pool) !== true) return `there is no pool ${pool}`
      const { owner = '' } = splitContainer(pool) ?? {}
      return addressMatcher(author)(owner) ? undefined : `${pool} belongs to another author`
    },
  },
  ...AMOUNTS.map(({ key, limit, format }) => ({
    field: `run.${key}`,
    problem({ grant, node }: GrantRequest) {
      const [given, most] = [grant[key], node.config.LIMITS.SERVICE[limit]]
      return given > most ? `is ${format(given)}, and LIMITS.SERVICE.${limit} allows ${format(most)}` : undefined
    },
  })),
  {
    field: 'run.timeoutSeconds',
    problem: ({ grant, node }) =>
      atMost(grant.timeoutSeconds, node.config.LIMITS.SERVICE.TIMEOUT, 'LIMITS.SERVICE.TIMEOUT'),
  },
  {
    field: 'run.network.mode',
    problem: ({ grant: { network }, executor }) =>
      network.mode === 'none' || executor?.networks?.includes(network.mode) === true
        ? undefined
        : `the ${executor?.name} executor grants no network of mode "${network.mode}"; "none" is right`,
  },
  {
    field: 'run.network.mode',
    problem({ grant: { network }, node }) {
      const { MODE } = node.config.NETCAP
      const allowed = network.mode === 'none' || MODE === 'open' || network.mode === MODE
      return allowed ? undefined : `is "${network.mode}", and NETCAP.MODE is "${MODE}"`
    },
  },
  {
    field: 'run.network.rateKbps',
    problem: ({ grant: { network }, node }) =>
      network.mode === 'none' ? undefined : atMost(network.rateKbps, node.config.NETCAP.RATE_KBPS, 'NETCAP.RATE_KBPS'),
  },
  {
    field: 'run.network.allow',
    problem({ grant, node }) {
      const { MODE, ALLOW } = node.config.NETCAP
      if (MODE !== 'allowlist') return undefined
      const other = targetsOf(grant.network).find((target) => !ALLOW.some((allowed) => coversTarget(allowed, target)))
      return other && `${other} is not in NETCAP.ALLOW`
    },
  },
  {
    field: 'run.network.allow',
    problem({ grant, node }) {
      const { PORTS } = node.config.NETCAP
      const other = targetsOf(grant.network)
        .filter((target) => target !== SELF_TARGET)
        .map((target) => targetParts(target).port)
        .find((port) => PORTS?.includes(port) === false)
      return other === undefined ? undefined : `port ${other} is not in NETCAP.PORTS`
    },
  },
]

/** What was free when the runner answered, with what those leave that it ends. */
const CAPACITY_CHECKS: readonly Check[] = [
  ...AMOUNTS.map(({ key, held, format }) => ({
    field: `run.${key}`,
    problem({ grant, evict, node }: GrantRequest) {
      const free = evictedIn(node, evict).reduce((sum, running) => sum + running[held], node.capacity[key])
      return grant[key] > free ? `is ${format(grant[key])}, and ${format(Math.max(0, free))} is free` : undefined
    },
  })),
  ...AMOUNTS.flatMap(({ key, held, format }) => {
    if (key === 'pids') return []
    const problem = ({ grant, evict, node }: GrantRequest) => {
      const { here } = node.capacity
      if (here === undefined || !isOnThisMachine(grant.executor)) return undefined
      const gone = evictedIn(node, evict).filter(({ executor }) => isOnThisMachine(executor))
      const free = gone.reduce((sum, running) => sum + running[held], here[key])
      return grant[key] > free
        ? `is ${format(grant[key])}, and ${format(Math.max(0, free))} is free on the node's own machine, where ${grant.executor} runs it`
        : undefined
    }
    return [{ field: `run.${key}`, problem }]
  }),
  {
    field: 'run',
    problem: ({ evict, node }) =>
      node.capacity.runs + evictedIn(node, evict).length < 1
        ? 'as many services run as LIMITS.TOTAL.RUNS allows'
        : undefined,
  },
]

/**
 * Where a verdict of any runner grants what it may not: more than LIMITS and NETCAP allow, an
 * executor that is not there, the end of a service that does not run here or is the operator's own. One phrase that
 * begins with the field; undefined = nowhere.
 */
export function limitError(verdict: Verdict, author: string, node: NodeFacts): string | undefined {
  return firstProblem(LIMIT_CHECKS, verdict, author, node)
}

/** The same, and that a grant fits into what the snapshot says is free: a runner that knew must not give more. */
export function grantError(verdict: Verdict, author: string, node: NodeFacts): string | undefined {
  return firstProblem([...LIMIT_CHECKS, ...CAPACITY_CHECKS], verdict, author, node)
}

function firstProblem(
  checks: readonly Check[],
  { run: grant, evict = [] }: Verdict,
  author: string,
  node: NodeFacts,
): string | undefined {
  if (grant === false) {
    return evict.length === 0 ? undefined : 'evict: only a verdict that runs the service ends others; leave it out'
  }
  const executor = node.capacity.executors.find(({ name }) => name === grant.executor)
  for (const { field, problem } of checks) {
    const found = problem({ grant, evict, author, node, executor })
    if (found !== undefined) return `${field}: ${found}`
  }
  return undefined
}

function runningIn(node: NodeFacts, id: string): RunningService | undefined {
  return node.running.find((running) => running.id === id)
}

function evictedIn(node: NodeFacts, evict: readonly string[]): RunningService[] {
  return node.running.filter(({ id }) => evict.includes(id))
}

/** A limit that is set needs a value that is at most as high. */
function atMost(value: number | undefined, most: number | undefined, name: string): string | undefined {
  return most === undefined || (value ?? Number.POSITIVE_INFINITY) <= most
    ? undefined
    : `must be at most ${most} (${name})`
}

function targetsOf(network: NetworkGrant): readonly string[] {
  return network.mode === 'allowlist' ? network.allow : []
}
