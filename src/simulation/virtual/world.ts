import { InputError } from '../../base/errors.ts'
import { type Graph, reversePlaces } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { createTrafficTable, type TrafficTable } from '../tables.ts'
import { type Calendar, createCalendar } from './calendar.ts'
import { type Conduct, createConduct } from './conduct.ts'
import { TICKS_PER_MS } from './constants.ts'
import { MAX_PLACES } from './messages.ts'
import type { Recorder } from './recorder.ts'

/** All that is there, and what time it is. */
export type World = {
  readonly plan: Plan
  readonly graph: Graph
  /** Places of one node: the links of the node that has most. */
  readonly slots: number
  /** of each link, where it ends: the place of the node that it leads to, and of that node's link back */
  readonly ends: Float64Array
  /** the part of the mesh that a node is in, OFFLINE = it is down: nodes of different parts do not reach each other */
  readonly part: Uint8Array
  /** of each link: 1 = there is a connection */
  readonly connected: Uint8Array
  readonly calendar: Calendar
  readonly recorder: Recorder
  readonly traffic: TrafficTable
  readonly conduct: Conduct
  tick: number
  /** there was a cut: before, all nodes are in one part */
  cuts: number
}

export const OFFLINE = 255

export function createWorld(plan: Plan, recorder: Recorder): World {
  const { graph } = plan
  const { nodes, offsets, neighbours } = graph
  let slots = 1
  for (let node = 0; node < nodes; node++)
    slots = Math.max(slots, (offsets[node + 1] as number) - (offsets[node] as number))
  if (nodes * slots > MAX_PLACES) {
    throw new InputError(
      `topology gives a node ${slots} links; with ${nodes} nodes the virtual engine takes ${Math.floor(MAX_PLACES / nodes)} at most`,
    )
  }
  const places = reversePlaces(graph)
  const ends = new Float64Array(neighbours.length)
  for (let link = 0; link < neighbours.length; link++)
    ends[link] = (neighbours[link] as number) * slots + (places[link] as number)
  return {
    plan,
    graph,
    slots,
    ends,
    part: new Uint8Array(nodes),
    connected: new Uint8Array(neighbours.length).fill(1),
    calendar: createCalendar(),
    recorder,
    traffic: createTrafficTable(nodes),
    conduct: createConduct(plan),
    tick: 0,
    cuts: 0,
  }
}

export function msOf(world: World): number {
  return world.tick / TICKS_PER_MS
}

/** The link back. */
export function reverseOf({ ends, slots, graph }: World, link: number): number {
  const end = ends[link] as number
  const node = Math.floor(end / slots)
  return (graph.offsets[node] as number) + end - node * slots
}

export function isOnline({ part }: World, node: number): boolean {
  return part[node] !== OFFLINE
}

/** Is this node up, and in the part of the mesh where the other end of its link is? That one may be down meanwhile. */
export function hears({ graph, part, cuts }: World, node: number, link: number): boolean {
  const here = part[node]
  if (here === OFFLINE || cuts === 0) return here !== OFFLINE
  const there = part[graph.neighbours[link] as number]
  return there === here || there === OFFLINE
}

/** Do both ends of a link reach each other? */
export function isOpen({ graph, part }: World, node: number, link: number): boolean {
  return part[node] !== OFFLINE && part[graph.neighbours[link] as number] === part[node]
}
