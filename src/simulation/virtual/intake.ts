import { HOLD_MS } from '../../intake/constants.ts'
import {
  decideForward,
  emissionDepth,
  type ForwardState,
  type IncomingCopy,
  pendingDepth,
} from '../../intake/forwarding-rules.ts'
import { NONE } from '../tables.ts'
import { type Announcement, CELL, CELLS, countCopy, isSeen, PUBLISHED, REDIRECT } from './announcement.ts'
import { START_SECONDS, TICKS_PER_MS } from './constants.ts'
import type { Gossip } from './gossip.ts'
import { KIND } from './messages.ts'
import type { Transmission } from './transmission.ts'
import { msOf, type World } from './world.ts'

/**
 * What a node does with announcements: src/intake, whose forwarding rules decide here too. `link` is one of the node's own:
 * the one to whom it came from.
 */
export interface VirtualIntake {
  /** A copy by gossip. */
  onMessage(announcement: Announcement, node: number, link: number, depth: number): void
  /** A copy over a stream. */
  onItem(announcement: Announcement, node: number, link: number, depth: number): void
  onOffer(announcement: Announcement, node: number, link: number, depth: number): void
  onPull(announcement: Announcement, node: number, link: number): void
  /** What a neighbour has is listed: this node asks for what it wants. */
  onList(announcement: Announcement, node: number, link: number): void
  onVerdict(announcement: Announcement, node: number, redirect: boolean): void
  publish(announcement: Announcement): void
}

/** What follows where something new is there. */
export type OnNews = (announcement: Announcement, node: number) => void

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Init = {
  readonly world: World
  readonly gossip: Gossip
  readonly transmission: Transmission
  /** REDIRECTION_DEPTH of each group */
  readonly limits: readonly number[]
  readonly onNews: OnNews
}

function takeAt(list: Int32Array, node: number, depth: number): number {
  const packed = list[node] as number
  if (packed < 0 || packed % PLACES !== depth) return -1
  list[node] = -1
  return Math.floor(packed / PLACES)
}

const HOLD_TICKS = HOLD_MS * TICKS_PER_MS
const PULL_BYTES = 60
const MAX_HOPS = 254
/** A link and the depth of what came over it, in one number. */
const PLACES = 16

export function createVirtualIntake({ world, gossip, transmission, limits, onNews }: Init): VirtualIntake {
  const { plan, graph, recorder, connected, conduct } = world
  const { scenario, groupOf } = plan

  const attacked = scenario.attackers.length > 0

  // one of each for all calls: the rules read them and keep nothing
  const state: Mutable<ForwardState> = {
    own: false,
    ended: false,
    limit: 0,
    reach: 0,
    issued: 0,
    expires: 0,
  }
  const incoming: Mutable<Extract<IncomingCopy, { valid: true }>> = { valid: true, depth: 0, sameSignature: true }
  const now = () => START_SECONDS + Math.floor(msOf(world) / 1000)

  function load(of: Announcement, node: number): Mutable<ForwardState> {
    const { cells } = of
    const row = node * CELLS
    const best = cells[row + CELL.best] as number
    const emitted = cells[row + CELL.emitted] as number
    const redirect = cells[row + CELL.redirect] as number
    state.best = best === NONE ? undefined : best
    state.emitted = emitted === NONE ? undefined : emitted
    state.redirect = redirect === REDIRECT.unknown ? undefined : redirect === REDIRECT.yes
    state.own = node === of.publisher
    state.ended = cells[row + CELL.ended] === 1
    state.limit = limits[groupOf[node] as number] as number
    state.reach = of.reach
    state.issued = of.issued
    state.expires = of.expires
    return state
  }

  /** The first copy, or a better one, or nothing new. */
  function take(of: Announcement, node: number, link: number, depth: number): void {
    const { cells } = of
    const row = node * CELLS
    const best = cells[row + CELL.best] as number
    if (best === NONE) {
      // a stop that was here first has superseded it
      if (cells[row + CELL.ended] === 1) return
      const from = graph.neighbours[link] as number
      const hops = Math.min(MAX_HOPS, (of.hops[from] as number) + 1)
      begin(of, node, depth, from, hops)
      if (of.kind !== 'service') cells[row + CELL.redirect] = REDIRECT.yes
      onNews(of, node)
      if (of.kind === 'stop') emit(of, node)
    } else if (depth > best) {
      cells[row + CELL.best] = depth
      emit(of, node)
    }
  }

  function begin(of: Announcement, node: number, depth: number, from: number, hops: number): void {
    const row = node * CELLS
    const ms = msOf(world)
    of.cells[row + CELL.best] = depth
    of.cells[row + CELL.first] = depth
    of.deliveredMs[node] = ms
    of.from[node] = from
    of.hops[node] = hops
    const { service } = of
    if (of.kind === 'service' && recorder.record('delivered', ms, node, service, depth, from))
      recorder.give({ ms, node, event: 'delivered', service, depth, from, hops })
  }

  function emit(of: Announcement, node: number): void {
    const pending = pendingDepth(load(of, node), now())
    if (pending === undefined || (attacked && keepsBack(of, node))) return
    const zeroing = isZeroing(of, node)
    if (zeroing && of.cells[node * CELLS + CELL.emitted] !== NONE) return
    const depth = zeroing ? 0 : pending
    recordEmission(of, node, depth)
    const source = takeWaiting(of, node, depth)
    if (source >= 0) gossip.forward(of, node, depth, source)
    else if (isSeen(of.cells, node, depth)) gossip.offer(of, node, depth)
    else {
      of.cells[node * CELLS + depth] = PUBLISHED
      if (depth === 0) gossip.flood(of, node, depth)
      else gossip.forward(of, node, depth, -1)
    }
  }

  /** An attacker that sends nothing on, or not as the rules say. */
  function keepsBack(of: Announcement, node: number): boolean {
    const kind = node === of.publisher ? undefined : conduct.of(node)
    return kind === 'depth-kept' || kind === 'dropper' || kind === 'sybil'
  }
  const isZeroing = (of: Announcement, node: number) =>
    attacked && node !== of.publisher && conduct.of(node) === 'depth-zeroed'

  /** A copy as attackers forward it; false where the rules decide. */
  function forwardsWrongly(of: Announcement, node: number, link: number, depth: number): boolean {
    if (isZeroing(of, node)) return true
    if (!keepsBack(of, node)) return false
    if (conduct.of(node) !== 'depth-kept') return true
    const before = of.cells[node * CELLS + CELL.emitted] as number
    recordEmission(of, node, before === NONE ? depth : Math.max(before, depth))
    gossip.forward(of, node, depth, link)
    return true
  }

  function recordEmission({ kind, service, cells }: Announcement, node: number, depth: number): void {
    cells[node * CELLS + CELL.emitted] = depth
    if (kind !== 'service') return
    const ms = msOf(world)
    if (recorder.record('emitted', ms, node, service, depth, 0))
      recorder.give({ ms, node, event: 'emitted', service, depth })
  }

  /** The link of a copy that waits at this depth; -1 = none does. */
  function takeWaiting({ waiting, held, heldUntil }: Announcement, node: number, depth: number): number {
    const link = takeAt(waiting, node, depth)
    return link >= 0 || (heldUntil[node] as number) < world.tick ? link : takeAt(held, node, depth)
  }

  function answer(of: Announcement, node: number, link: number, depth: number): void {
    incoming.depth = depth
    switch (decideForward(load(of, node), incoming, now())) {
      case 'accept':
        recordEmission(of, node, depth)
        gossip.forward(of, node, depth, link)
        break
      case 'wait':
        of.waiting[node] = link * PLACES + depth
        break
      case 'hold':
        of.held[node] = link * PLACES + depth
        of.heldUntil[node] = world.tick + HOLD_TICKS
        break
      default:
    }
  }

  /** Would this node ask for it? */
  function wants(of: Announcement, node: number, depth: number): boolean {
    const { best, own, ended, redirect, limit } = load(of, node)
    if (best === undefined) return true
    if (of.kind === 'statement' || ended || own || redirect === false) return false
    return Math.min(depth, limit) > Math.min(best, limit)
  }

  /** What this node would send to one that asks. */
  function carried(of: Announcement, node: number): number | undefined {
    if (attacked && keepsBack(of, node)) return undefined
    const known = load(of, node)
    if (known.redirect !== true || known.ended || known.expires <= now()) return undefined
    return of.kind === 'statement' || isZeroing(of, node) ? 0 : emissionDepth(known)
  }

  function pull(of: Announcement, node: number, link: number): void {
    transmission.send(node, link, of.index, 0, KIND.pull, PULL_BYTES)
  }

  return {
    onMessage(of, node, link, depth) {
      if (!countCopy(of.cells, node, depth)) return
      if (of.kind === 'statement') {
        if (of.cells[node * CELLS + CELL.best] !== NONE) return
        take(of, node, link, depth)
        if (attacked && keepsBack(of, node)) return
        return gossip.forward(of, node, depth, link)
      }
      take(of, node, link, depth)
      if (attacked && forwardsWrongly(of, node, link, depth)) return
      if (scenario.tickets) return answer(of, node, link, depth)
      if (of.cells[node * CELLS + CELL.redirect] === REDIRECT.unknown) of.waiting[node] = link * PLACES + depth
    },
    onItem: take,
    onOffer(of, node, link, depth) {
      if (wants(of, node, depth)) pull(of, node, link)
    },
    onPull(of, node, link) {
      const depth = carried(of, node)
      if (depth !== undefined) transmission.send(node, link, of.index, depth, KIND.item, of.bytes)
    },
    onList(of, node, link) {
      const depth = carried(of, graph.neighbours[link] as number)
      if (depth !== undefined && connected[link] === 1 && wants(of, node, depth)) pull(of, node, link)
    },
    onVerdict(of, node, redirect) {
      const row = node * CELLS
      of.cells[row + CELL.redirect] = redirect || node === of.publisher ? REDIRECT.yes : REDIRECT.no
      if (scenario.tickets) return emit(of, node)
      const depth = of.cells[row + CELL.best] as number
      const source = takeWaiting(of, node, depth)
      if (!redirect || source < 0 || (attacked && keepsBack(of, node))) return
      recordEmission(of, node, depth)
      gossip.forward(of, node, depth, source)
    },
    publish(of) {
      const { publisher: node, reach } = of
      begin(of, node, reach, node, 0)
      of.cells[node * CELLS + CELL.redirect] = REDIRECT.yes
      onNews(of, node)
      if (of.kind !== 'statement') return emit(of, node)
      of.cells[node * CELLS] = PUBLISHED
      gossip.forward(of, node, 0, -1)
    },
  }
}
