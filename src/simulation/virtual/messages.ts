/** What arrives over a link, or happens at a node. */
export const KIND = {
  /** an announcement arrives by gossip */
  message: 0,
  /** an id is advertised, and asked for */
  ihave: 1,
  iwant: 2,
  graft: 3,
  prune: 4,
  /** a neighbour has something to offer over a stream; it is asked for; it comes */
  offer: 5,
  pull: 6,
  item: 7,
  /** the list of what a neighbour has is there */
  sync: 8,
  // at a node, of a link of its own
  connected: 9,
  disconnected: 10,
  // at a node
  verdict: 11,
  /** ids are advertised at the heartbeat */
  gossip: 12,
  heartbeat: 13,
  /** over a link: a message that no check lets through */
  garbage: 14,
  /** at a node that sends it */
  spam: 15,
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

const KINDS = 16
/** Depths of one announcement: nine, in sixteen places. */
const DEPTH_PLACES = 16
/** Announcements of one scenario. */
export const MAX_ANNOUNCEMENTS = 65_536

/**
 * One number for an event. Most significant is its place: the node that it happens at, then the link of that node that it
 * came by. Then the announcement, the depth, the kind. So at each node, what falls on one tick happens in the order of who
 * sent it; nodes do not affect one another within a tick.
 */
export function packEvent(place: number, announcement: number, depth: number, kind: Kind): number {
  return place * PER_PLACE + (announcement * DEPTH_PLACES + depth) * KINDS + kind
}

const PER_PLACE = KINDS * DEPTH_PLACES * MAX_ANNOUNCEMENTS
/** Places of one scenario: its nodes, times the links of the node that has most. */
export const MAX_PLACES = Math.floor(Number.MAX_SAFE_INTEGER / PER_PLACE)

export function placeOf(event: number): number {
  // places fit into 31 bits
  return (event * (1 / PER_PLACE)) | 0
}

/** What `packEvent` put below the place. */
export function restOf(event: number, place: number): number {
  return event - place * PER_PLACE
}

export function kindOf(rest: number): Kind {
  return (rest & (KINDS - 1)) as Kind
}

export function depthOf(rest: number): number {
  return (rest >>> 4) & (DEPTH_PLACES - 1)
}

export function announcementOf(rest: number): number {
  return rest >>> 8
}
