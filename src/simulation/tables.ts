import { MAX_DEPTH } from '../../protocols/limits.ts'

/** No value in a table of whole numbers. */
export const NONE = 255

/**
 * How one service spread: a row for each node. Engines fill it whatever events are asked for, so that metrics of a million
 * nodes need no object for each.
 */
export type SpreadTable = {
  readonly service: number
  readonly publisher: number
  readonly publishedMs: number
  /** the depth that its author signed */
  readonly reach: number
  /** when its first valid copy arrived; NaN = it never did */
  readonly deliveredMs: Float64Array
  /** that of the first copy; NONE = none arrived */
  readonly firstDepth: Uint8Array
  /** the best one received */
  readonly bestDepth: Uint8Array
  /** the highest one sent on; NONE = none was */
  readonly emittedDepth: Uint8Array
  /** between the publisher and this node, on the way of the first copy */
  readonly hops: Uint8Array
  /** who sent the first copy; -1 = none arrived */
  readonly from: Int32Array
  /** copies that arrived beside the first of each depth */
  readonly duplicates: Uint16Array
  /** index in DISPOSITIONS; NONE = no verdict */
  readonly disposition: Uint8Array
  /** index in DECIDING_RULES; NONE = no verdict */
  readonly rule: Uint8Array
  /** when a stop, or an unsafe statement, arrived; NaN = none did; empty = the service is neither stopped nor revoked */
  readonly revokedMs: Float64Array
}

/** What each node sent and received. Duplicates are by depth: those of node n at depth d have the index n * DEPTHS + d. */
export type TrafficTable = {
  readonly sentBytes: Float64Array
  readonly receivedBytes: Float64Array
  readonly duplicates: Uint32Array
  /** copies in all, the first ones too; same index */
  readonly copies: Uint32Array
}

/** Depths are 0 to MAX_DEPTH. */
export const DEPTHS = MAX_DEPTH + 1

export function createSpreadTable(
  nodes: number,
  of: Pick<SpreadTable, 'service' | 'publisher' | 'publishedMs' | 'reach'>,
): SpreadTable {
  return {
    ...of,
    deliveredMs: new Float64Array(nodes).fill(Number.NaN),
    firstDepth: new Uint8Array(nodes).fill(NONE),
    bestDepth: new Uint8Array(nodes).fill(NONE),
    emittedDepth: new Uint8Array(nodes).fill(NONE),
    hops: new Uint8Array(nodes),
    from: new Int32Array(nodes).fill(-1),
    duplicates: new Uint16Array(nodes),
    disposition: new Uint8Array(nodes).fill(NONE),
    rule: new Uint8Array(nodes).fill(NONE),
    revokedMs: new Float64Array(0),
  }
}

export function createTrafficTable(nodes: number): TrafficTable {
  return {
    sentBytes: new Float64Array(nodes),
    receivedBytes: new Float64Array(nodes),
    duplicates: new Uint32Array(nodes * DEPTHS),
    copies: new Uint32Array(nodes * DEPTHS),
  }
}
