import { isOnThisMachine } from '../../base/verdict.ts'
import type { ReceivedService, Resources, RunningService } from '../contract.ts'
import { executorFor } from './executor.ts'
import { rankOf } from './ranking.ts'
import type { RuleContext } from './rule.ts'

/**
 * What a run needs or leaves: resources, and one of the runs that LIMITS.TOTAL.RUNS allows. `here`: what of it the node's own machine has, for a
 * run that would begin there beside a swarm.
 */
type FreeResources = Resources & { readonly runs: number; readonly here?: OnThisMachine | undefined }
type OnThisMachine = Omit<Resources, 'pids'>

/** A verdict names no more than this. */
const MAX_EVICTED = 64

/** What is free now for the service, where it would run. */
export function freeResourcesFor(service: ReceivedService, node: RuleContext): FreeResources {
  const { memoryBytes, cpuMillicores, diskBytes, pids, runs, here } = node.capacity
  const free = { memory: memoryBytes, cpu: cpuMillicores, disk: diskBytes, pids, runs }
  const executor = executorFor(service, node)
  if (here === undefined || executor === undefined || !isOnThisMachine(executor.name)) return free
  return { ...free, here: { memory: here.memoryBytes, cpu: here.cpuMillicores, disk: here.diskBytes } }
}

function fits({ resources }: ReceivedService, free: FreeResources): boolean {
  const { memory, cpu, disk, pids } = resources
  const has = (one: OnThisMachine) => memory <= one.memory && cpu <= one.cpu && disk <= one.disk
  return has(free) && (free.here === undefined || has(free.here)) && pids <= free.pids && free.runs >= 1
}

/**
 * Running services that could end to free capacity, where LIMITS.EVICT allows it: each ranks strictly lower than the new
 * one, and none is the operator's own. One where one suffices, the lowest of those; otherwise the lowest first, until
 * it fits, and of these none that is not needed. Undefined where nothing suffices; empty where it fits as it is.
 */
export function evictionFor(service: ReceivedService, node: RuleContext): RunningService[] | undefined {
  const free = freeResourcesFor(service, node)
  if (fits(service, free)) return []
  if (!node.config.LIMITS.EVICT) return undefined
  const rank = rankOf(service, node.config)
  const lower = node.running
    .filter((other) => !other.own && other.id !== service.id && other.rank < rank)
    .sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
  const one = lower.find((other) => fits(service, plus(free, other)))
  if (one !== undefined) return [one]
  const chosen: RunningService[] = []
  let remaining = free
  for (const other of lower) {
    chosen.push(other)
    remaining = plus(remaining, other)
    if (fits(service, remaining)) break
  }
  if (!fits(service, remaining)) return undefined
  const needed = withoutSpare(service, chosen, remaining)
  return needed.length > MAX_EVICTED ? undefined : needed
}

/** Leaves out, from the highest rank down, services that need not be evicted. */
function withoutSpare(
  service: ReceivedService,
  chosen: readonly RunningService[],
  all: FreeResources,
): RunningService[] {
  let free = all
  const needed: RunningService[] = []
  for (const other of chosen.toReversed()) {
    const less = minus(free, other)
    if (fits(service, less)) free = less
    else needed.push(other)
  }
  return needed.reverse()
}

function plus(free: FreeResources, held: RunningService): FreeResources {
  return moved(free, held, 1)
}

function minus(free: FreeResources, held: RunningService): FreeResources {
  return moved(free, held, -1)
}

function moved({ here, ...free }: FreeResources, held: RunningService, sign: 1 | -1): FreeResources {
  const sum = (one: OnThisMachine) => ({
    memory: one.memory + sign * held.memory,
    cpu: one.cpu + sign * held.cpu,
    disk: one.disk + sign * held.disk,
  })
  return {
    ...sum(free),
    pids: free.pids + sign * held.pids,
    runs: free.runs + sign,
    here: here !== undefined && isOnThisMachine(held.executor) ? sum(here) : here,
  }
}
