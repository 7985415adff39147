import { PING_INTERVAL_MS, PING_TIMEOUT_MS, REDIAL } from '../../network/constants.ts'

/** Time is whole ticks of an eighth of a millisecond: what falls on the same one happens at once. */
export const TICKS_PER_MS = 8
/** The calendar has a bucket for each tick of so many: half a second. */
export const EPOCH_TICKS = 4096

/** Every scenario begins then, in seconds since 1970. */
export const START_SECONDS = 1_800_000_000

// gossipsub's own, of the version that src/network uses, where src/network leaves its defaults
export const HEARTBEAT_MS = 1000
/** Heartbeats in which an id is advertised to all neighbours outside the mesh: src/network has a factor of 1. */
export const HISTORY_GOSSIP = 3

/** A message in its frame, beside the announcement: topic, lengths, the multiplexer's and the encryption's headers. */
export const FRAME_BYTES = 60
/** An advertisement, or a request, of one id. */
export const CONTROL_BYTES = 60

/** One-way trips from dialling a neighbour to gossip with it: TCP, protocol negotiation, noise, multiplexer, identify. */
export const CONNECT_TRIPS = 10
/** One-way trips from an offer to its arrival: the protocol of the stream is agreed on first. */
export const OFFER_TRIPS = 3
/** And those of a round of sync with one neighbour until the list is there. */
export const SYNC_TRIPS = 4
/** How long TCP waits before it sends again what was lost; twice as long for each further loss. */
export const RETRANSMIT_MS = 200
/** Until a cut is noticed: a ping is sent, and its answer does not come. */
export const CUT_NOTICED_MS = PING_INTERVAL_MS + PING_TIMEOUT_MS
/** The longest wait between two attempts to reach a static neighbour. */
export const REDIAL_MAX_MS = REDIAL.maxMs
