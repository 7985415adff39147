import type { ReceivedService, Resources, RunningService } from '../contract.ts'
import { rankOf } from './ranking.ts'
import type { RuleContext } from './rule.ts'

/** What a run needs or leaves: resources, and one of the runs that LIMITS.TOTAL.RUNS allows. */
type Room = Resources & { readonly runs: number }

/** A verdict names no more than this. */
const MAX_EVICTED = 64

/** What is free now. */
export function roomOf({ capacity }: RuleContext): Room {
  const { memoryBytes, cpuMillicores, diskBytes, pids, runs } = capacity
  return { memory: memoryBytes, cpu: cpuMillicores, disk: diskBytes, pids, runs }
}

function fits({ resources }: ReceivedService, room: Room): boolean {
  const { memory, cpu, disk, pids } = resources
  return memory <= room.memory && cpu <= room.cpu && disk <= room.disk && pids <= room.pids && room.runs >= 1
}

/**
 * Running services that could end to make room, where LIMITS.EVICT allows it: each ranks strictly lower than the new
 * one, and none is the operator's own. One where one suffices, the lowest of those; otherwise the lowest first, until
 * there is room, and of these none that is not needed. Undefined where nothing suffices; empty where there is room.
 */
export function evictionFor(service: ReceivedService, node: RuleContext): RunningService[] | undefined {
  const free = roomOf(node)
  if (fits(service, free)) return []
  if (!node.config.LIMITS.EVICT) return undefined
  const rank = rankOf(service, node.config)
  const lower = node.running
    .filter((other) => !other.own && other.id !== service.id && other.rank < rank)
    .sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
  const one = lower.find((other) => fits(service, plus(free, other)))
  if (one !== undefined) return [one]
  const chosen: RunningService[] = []
  let room = free
  for (const other of lower) {
    chosen.push(other)
    room = plus(room, other)
    if (fits(service, room)) break
  }
  if (!fits(service, room)) return undefined
  const needed = withoutSpare(service, chosen, room)
  return needed.length > MAX_EVICTED ? undefined : needed
}

/** Leaves out, from the highest rank down, whoever need not go. */
function withoutSpare(service: ReceivedService, chosen: readonly RunningService[], all: Room): RunningService[] {
  let room = all
  const needed: RunningService[] = []
  for (const other of chosen.toReversed()) {
    const less = minus(room, other)
    if (fits(service, less)) room = less
    else needed.push(other)
  }
  return needed.reverse()
}

function plus(room: Room, held: Resources): Room {
  return {
    memory: room.memory + held.memory,
    cpu: room.cpu + held.cpu,
    disk: room.disk + held.disk,
    pids: room.pids + held.pids,
    runs: room.runs + 1,
  }
}

function minus(room: Room, held: Resources): Room {
  return {
    memory: room.memory - held.memory,
    cpu: room.cpu - held.cpu,
    disk: room.disk - held.disk,
    pids: room.pids - held.pids,
    runs: room.runs - 1,
  }
}
