import { InputError } from '../../base/errors.ts'
import { type Graph, linkEnds } from '../plan/graph.ts'
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
  /** Places of one node: as many as the node with most links has links, or a few more, so that it is a power of two. */
  readonly slots: number
  readonly slotBits: number
  /** of each link, where it ends: the place of the node that it leads to, and of that node's link back */
  readonly ends: Int32Array
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
  let most = 1
  for (let node = 0; node < nodes; node++)
    most = Math.max(most, (offsets[node + 1] as number) - (offsets[node] as number))
  const slotBits = Math.ceil(Math.log2(most))
  const slots = 2 ** slotBits
  if (nodes * slots > MAX_PLACES) {
    const allowed = 2 ** Math.floor(Math.log2(MAX_PLACES / nodes))
    throw new InputError(
      `topology gives a node ${most} links; with ${nodes} nodes the virtual engine takes ${allowed} at most`,
    )
  }
  return {
    plan,
    graph,
    slots,
    slotBits,
    ends: linkEnds(graph, slots),
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
export function reverseOf(world: World, link: number): number {
  const end = world.ends[link] as number
  return linkAt(world, nodeAt(world, end), end)
}

/** The node that a place belongs to. */
export function nodeAt({ slotBits }: World, place: number): number {
  return place >>> slotBits
}

/** The link of that node that a place stands for. */
export function linkAt({ graph, slots }: World, node: number, place: number): number {
  return (graph.offsets[node] as number) + (place & (slots - 1))
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
