import type { ReceivedService } from '../../runner/contract.ts'
import type { Action } from '../plan/timeline.ts'
import { createSpreadTable, DEPTHS, NONE, type SpreadTable, type TrafficTable } from '../tables.ts'

type Statement = Extract<Action, { do: 'attest' }>

/** What a node thinks of an announcement: is it sent on? */
export const REDIRECT = { unknown: 0, no: 1, yes: 2 } as const

/** Bytes that a node has for an announcement: all of them in one line of the processor's cache. */
export const CELLS = 16
/** Where each stands. First come, for each depth, the copies that came by gossip. */
export const CELL = { best: 9, emitted: 10, redirect: 11, ended: 12, first: 13, disposition: 14, rule: 15 } as const
/** In the place of the copies of a depth: this node published it, so that all copies are duplicates. */
export const PUBLISHED = 0x80
const COUNT = 0x7f

/**
 * Something that spreads. A service is decided about; a stop of it goes wherever its depth leads; statements go everywhere.
 */
export type Announcement = {
  /** its place among all announcements */
  readonly index: number
  readonly kind: 'service' | 'stop' | 'statement'
  /** the service that it is, or is about */
  readonly service: number
  readonly publisher: number
  readonly reach: number
  readonly bytes: number
  readonly publishedMs: number
  readonly issued: number
  readonly expires: number
  readonly received: ReceivedService
  readonly statement: Statement | undefined
  /** CELLS for each node */
  readonly cells: Uint8Array
  readonly hops: Uint8Array
  readonly from: Int32Array
  readonly deliveredMs: Float64Array
  /** empty as long as it is neither stopped nor revoked */
  revokedMs: Float64Array
  /** the link of a copy that the verdict may forward, and its depth: see `waitingOf`; -1 = none waits */
  readonly waiting: Int32Array
  /** and of one that a better copy may: see `hold` of the forwarding rules */
  readonly held: Int32Array
  /** until when, in ticks */
  readonly heldUntil: Uint32Array
}

type Given = Omit<
  Announcement,
  'cells' | 'hops' | 'from' | 'deliveredMs' | 'revokedMs' | 'waiting' | 'held' | 'heldUntil'
>

/** What a node and an announcement take together, with the table that is made of it in the end. */
export const BYTES_EACH = 64

export function createAnnouncement(nodes: number, of: Given): Announcement {
  const cells = new Uint8Array(nodes * CELLS)
  for (let at = 0; at < cells.length; at += CELLS)
    for (const cell of [CELL.best, CELL.emitted, CELL.first, CELL.disposition, CELL.rule]) cells[at + cell] = NONE
  return {
    ...of,
    cells,
    hops: new Uint8Array(nodes),
    from: new Int32Array(nodes).fill(-1),
    deliveredMs: new Float64Array(nodes).fill(Number.NaN),
    revokedMs: new Float64Array(0),
    waiting: new Int32Array(nodes).fill(-1),
    held: new Int32Array(nodes).fill(-1),
    heldUntil: new Uint32Array(nodes),
  }
}

/** One more copy by gossip. Answers whether it is the first of its depth. */
export function countCopy(cells: Uint8Array, node: number, depth: number): boolean {
  const at = node * CELLS + depth
  const count = cells[at] as number
  if ((count & COUNT) < COUNT) cells[at] = count + 1
  return count === 0
}

/** Came a message of this depth by gossip, or was one published here? */
export function isSeen(cells: Uint8Array, node: number, depth: number): boolean {
  return cells[node * CELLS + depth] !== 0
}

/** The table of a service, and its part of the traffic. */
export function spreadOf(of: Announcement, traffic: TrafficTable): SpreadTable {
  const { cells, hops, from, deliveredMs, revokedMs } = of
  const nodes = from.length
  const table = { ...createSpreadTable(nodes, of), hops, from, deliveredMs, revokedMs }
  for (let node = 0; node < nodes; node++) {
    const row = node * CELLS
    table.firstDepth[node] = cells[row + CELL.first] as number
    table.bestDepth[node] = cells[row + CELL.best] as number
    table.emittedDepth[node] = cells[row + CELL.emitted] as number
    table.disposition[node] = cells[row + CELL.disposition] as number
    table.rule[node] = cells[row + CELL.rule] as number
    for (let depth = 0; depth < DEPTHS; depth++) {
      const cell = cells[row + depth] as number
      const copies = cell & COUNT
      if (copies === 0) continue
      const duplicates = (cell & PUBLISHED) === 0 ? copies - 1 : copies
      const at = node * DEPTHS + depth
      table.duplicates[node] = (table.duplicates[node] as number) + duplicates
      traffic.copies[at] = (traffic.copies[at] as number) + copies
      traffic.duplicates[at] = (traffic.duplicates[at] as number) + duplicates
      traffic.receivedBytes[node] = (traffic.receivedBytes[node] as number) + copies * of.bytes
    }
  }
  return table
}
