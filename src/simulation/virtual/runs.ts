import type { RunningService } from '../../runner/contract.ts'
import { type Announcement, CELL, CELLS } from './announcement.ts'
import { isOnline, msOf, type World } from './world.ts'

/** What runs where. Placement is ideal: nodes know at once who has claimed a run. */
export interface Runs {
  /** What runs on a node, in the order of the starts. */
  of(node: number): readonly RunningService[]
  /** A node is willing. It starts where fewer run than are wanted. */
  claim(announcement: Announcement, node: number): void
  /** It ends there; one that is willing and has waited for longest takes its place. */
  end(announcement: Announcement, node: number): void
  /** All that runs on this node ends. */
  endAll(node: number, announcements: readonly Announcement[]): void
}

const NOTHING: readonly RunningService[] = []

export function createRuns(world: World): Runs {
  const { recorder } = world
  const byNode = new Map<number, RunningService[]>()
  const counts = new Map<number, number>()
  const willing = new Map<number, number[]>()

  function record(node: number, service: number, state: 'running' | 'ended'): void {
    const ms = msOf(world)
    const number = state === 'running' ? 1 : 2
    if (recorder.record('run', ms, node, service, number, 0)) recorder.give({ ms, node, event: 'run', service, state })
  }

  function start({ service, received }: Announcement, node: number): void {
    const list = byNode.get(node) ?? []
    const { id, author, name, resources } = received
    list.push({ ...resources, id, author, name, rank: 0, own: false, executor: 'host' })
    byNode.set(node, list)
    counts.set(service, (counts.get(service) ?? 0) + 1)
    record(node, service, 'running')
  }

  function end(of: Announcement, node: number): void {
    const list = byNode.get(node)
    const at = list?.findIndex(({ id }) => id === of.received.id) ?? -1
    if (list === undefined || at < 0) return
    list.splice(at, 1)
    counts.set(of.service, (counts.get(of.service) ?? 1) - 1)
    record(node, of.service, 'ended')
    const waiting = willing.get(of.service) ?? []
    while (waiting.length > 0) {
      const next = waiting.shift() as number
      if (next === node || !isOnline(world, next) || of.cells[next * CELLS + CELL.ended] === 1) continue
      start(of, next)
      return
    }
  }

  return {
    of: (node) => byNode.get(node) ?? NOTHING,
    claim(of, node) {
      const { service, received } = of
      if (byNode.get(node)?.some(({ id }) => id === received.id)) return
      if ((counts.get(service) ?? 0) < received.replicas) {
        start(of, node)
        return
      }
      const waiting = willing.get(service) ?? []
      // more than these are never needed
      if (waiting.length < 4 * received.replicas) waiting.push(node)
      willing.set(service, waiting)
    },
    end,
    endAll(node, announcements) {
      for (const { id } of [...(byNode.get(node) ?? [])]) {
        const of = announcements.find((one) => one.kind === 'service' && one.received.id === id)
        if (of !== undefined) end(of, node)
      }
    },
  }
}
