const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

export const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'
export const STOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/stop'
export const DCUTR_PROTOCOL = '/libp2p/dcutr'

// Relaying for others

/** A reservation is refreshed before that. One of a peer that has left is dropped at once. */
export const RESERVATION_TTL_MS = HOUR
/** On a public network; on a private one all may have the same address. */
export const MAX_RESERVATIONS_PER_ADDRESS = 4
/** Streams of the hop protocol that one peer may hold: each is a circuit, or asks for one. */
export const MAX_CIRCUITS_PER_SOURCE = 8
export const MAX_CIRCUITS_PER_DESTINATION = 32
export const MAX_CIRCUITS = 256
/** Requests for reservations and circuits, of one address: peer ids are free. */
export const HOP_REQUESTS = { burst: 64, perSecond: 2 }
/** It names one peer, and may name its addresses. */
export const MAX_HOP_REQUEST_BYTES = 4096
export const HOP_ADDRESSES = 4096

// Being relayed

/** One may vanish, and the node is still reachable. */
export const WANTED_RELAYS = 2
/** Inbound connections have so long to show that no relay is needed. */
export const RESERVE_AFTER_MS = 20 * SECOND
export const RESERVE_CHECK_MS = 5 * SECOND
export const RESERVE_RETRY = { firstMs: 15 * SECOND, maxMs: 10 * MINUTE }
export const RESERVE_TIMEOUT_MS = 10 * SECOND
/** An inbound connection from outside says that the node is reachable, for so long after it ended. */
export const INBOUND_MEMORY_MS = HOUR
/** Handshakes through one relay at a time, inbound: their addresses are not known. */
export const MAX_RELAYED_STOP_STREAMS = 128

// Replacing a relayed connection by a direct one

/** Addresses that a peer may name for it. */
export const MAX_UPGRADE_ADDRESSES = 4
/** Such dials, for all peers together: an address that a stranger names may be anybody's. */
export const UPGRADES = { burst: 32, perSecond: 1 }
