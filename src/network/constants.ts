const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const KIB = 1024
const MIB = 1024 * KIB

// Connections

/** Fifty nodes behind one address start together; the library's 5 a second would starve them. */
export const INBOUND_CONNECTIONS_PER_SECOND = 200
/** Handshakes at once; each costs a key agreement and a socket, so a flood of half-open ones is bounded. */
export const MAX_PENDING_INBOUND = 256
/** Handshakes of one address (IPv4, or the /64 of IPv6): fifty nodes behind one start together. */
export const MAX_PENDING_PER_ADDRESS = 64
/** A handshake takes five round trips. A dialler with this library waits no longer, either. */
export const HANDSHAKE_TIMEOUT_MS = 6 * SECOND
export const MAX_CONNECTIONS = 400
/** On a public network: established connections of one address. */
export const MAX_CONNECTIONS_PER_ADDRESS = 64
/** A connection without an open stream for so long is closed; a peer that needs it again dials again. */
export const CONNECTION_IDLE_MS = MINUTE
export const CONNECTION_SWEEP_MS = 5 * SECOND
/** A light peer needs its few joins and the providers it asks. */
export const MAX_CONNECTIONS_CLIENT = 64
export const DIAL_TIMEOUT_MS = 10 * SECOND
/** gossipsub opens its streams one after the other: a peer that never answers holds up all others for so long. */
export const NEGOTIATION_TIMEOUT_MS = 5 * SECOND
/** Bulk transfers delay pings; a connection is dead only when this long nothing came back. */
export const PING_TIMEOUT_MS = 15 * SECOND
export const PING_TIMEOUT_MAX_MS = 60 * SECOND
/** Two missed pings is how long a cut stays unnoticed. */
export const PING_INTERVAL_MS = 10 * SECOND
/** Open on one connection in each direction: the monitor's until the last has timed out, and two of the DHT's. */
export const MAX_PINGS = PING_TIMEOUT_MAX_MS / PING_INTERVAL_MS + 2

// Peers

/** Provider lookups drop peers whose addresses are forgotten: keep them longer than any provider record lives. */
export const ADDRESS_AGE_MS = 48 * HOUR
export const PEER_AGE_MS = 72 * HOUR
/** Static peers are the last to be closed when there are too many connections. */
export const STATIC_PEER_TAG = { name: 'thundercloud-static', value: 1000 }
export const REDIAL = { firstMs: SECOND, maxMs: MINUTE }
/** Below so many neighbours the peer manager looks for more. gossipsub's mesh wants 6. */
export const LOW_WATER = 8
export const PEER_DISCOVERY_INTERVAL_MS = 10 * SECOND
/** A peer that could not be dialled is left alone for a while, longer each time. */
export const DISCOVERY_BACKOFF = { firstMs: 30 * SECOND, maxMs: HOUR }
/** A random walk through the DHT is worth this long. */
export const RANDOM_WALK_TIMEOUT_MS = 10 * SECOND
/** An answer of `GET /node`: a few multiaddrs. */
export const MAX_ORIGIN_BODY_BYTES = 64 * KIB
export const MAX_ORIGIN_ADDRESSES = 16
export const ORIGIN_TIMEOUT_MS = 5 * SECOND

/** How long a peer that opens a gossip stream may take to say that it names this node, and how often it tries. */
export const NEIGHBOUR_WAIT_MS = 3 * SECOND
export const NEIGHBOUR_TRIES = 3

// Gossip

/** How long a publish waits for a neighbour to have announced its subscriptions (identify, stream, subscribe: well under 1 s). */
export const PUBLISH_WAIT_MS = 3 * SECOND
export const PUBLISH_POLL_MS = 25
/**
 * Neighbours that are sent to at once. A copy over a detour has a lower depth than the direct one, and a node that receives it
 * first emits twice: so the mesh holds all of the eight neighbours that the peer manager looks for.
 */
export const MESH = { low: 6, want: 8, high: 12 }
/** Copies of one message come within seconds; the journal knows for the service's whole life. */
export const SEEN_TTL_MS = 2 * MINUTE
/** Announcements in validation at once; verdicts take up to seconds, memory must not follow a flood. */
export const MAX_PENDING_GOSSIP = 4096
/** Of one neighbour: eight of them fill it, so that one alone cannot block the others. */
export const MAX_PENDING_GOSSIP_PER_PEER = 512
/** A validator may wait for a verdict, and an IWANT for the message counts as kept only after it: well above both. */
export const IWANT_FOLLOWUP_MS = 15 * SECOND
/** One frame on a gossip stream: a batch of announcements, and what is advertised on two topics (5000 ids each). */
export const MAX_GOSSIP_FRAME_BYTES = 384 * KIB
/** What this node puts into one frame: eight announcements of the longest kind, hundreds of ordinary ones. */
export const GOSSIP_BATCH_BYTES = 128 * KIB
/** What waits for a neighbour that does not read; beyond it the stream is given up. */
export const MAX_GOSSIP_UNSENT_BYTES = 4 * MIB
/** How often outbound gossip streams are compared with connections. */
export const GOSSIP_REPAIR_MS = 2 * SECOND

// Request streams

/** One archive chunk (1 MiB) in its envelope. */
export const MAX_MESSAGE_BYTES = MIB + 64 * KIB
/** A paused reader is reset when its buffer overflows: the window a sender may fill must be smaller than the buffer. */
export const STREAM_WINDOW_BYTES = 4 * MIB
export const STREAM_BUFFER_BYTES = STREAM_WINDOW_BYTES + MIB
/** `write` resolves when no more than this is still to be handed to the connection: enough to keep it busy. */
export const WRITE_AHEAD_BYTES = 256 * KIB
/** A longer message is handed over in such slices: encrypting one takes a fraction of a millisecond. */
export const SLICE_BYTES = 256 * KIB
/** Messages up to this size go out as one piece, prefix and all; copying them is cheaper than another frame. */
export const COPY_BELOW_BYTES = 16 * KIB
export const MAX_INBOUND_PER_PEER = 16
/**
 * Streams that one peer may open before the connection is ready for them; the library's own bound of 10 ends the
 * connection of an honest peer with much to ask.
 */
export const MAX_EARLY_STREAMS = 32
/** Streams to one peer that are being opened at the same time: fewer than any implementation takes at once. */
export const MAX_OPENING_PER_PEER = 8
export const MAX_INBOUND_STREAMS = 512
export const MAX_OUTBOUND_PER_PEER = 64
/** Nothing read and nothing written for so long: the stream is reset. */
export const STREAM_IDLE_MS = MINUTE
/** Idle streams are looked for this often. */
export const IDLE_SWEEP_MS = 5 * SECOND
/** To reach a peer and agree on a protocol, when the caller sets no limit of its own. */
export const OPEN_TIMEOUT_MS = 20 * SECOND
/** What was written has so long to leave before an ended stream is reset. */
export const END_TIMEOUT_MS = 30 * SECOND

// Sync

/** With one random neighbour, besides every new one. */
export const SYNC_EVERY_MS = 3 * MINUTE
/** The same neighbour is not asked again sooner, however often it reconnects. */
export const SYNC_PEER_GAP_MS = 5 * SECOND
export const SYNC_ROUND_TIMEOUT_MS = MINUTE
export const SYNC_CONCURRENCY = 4
export const OFFER_CONCURRENCY = 32
export const SYNC_QUEUE = 256
/** Ids in one pull; an answer is at most this many announcements of 16 KiB. */
export const SYNC_PULL_BATCH = 128
/** Between two offers to one peer: what falls together travels together, for a stream costs more than what it carries. */
export const OFFER_GAP_MS = 1000
export const MAX_PENDING_OFFERS = 4096
/** Requests of one peer. An honest one lists, pulls in batches, and offers at most five times a second. */
export const SYNC_REQUESTS = { burst: 200, perSecond: 10 }
/** Pages and bytes of one round, for services and for statements each; the next round goes on where this one stopped. */
export const SYNC_EXCHANGE = { pages: 32, bytes: 64 * MIB }
/** Pages that one peer is shown: two rounds at once, and as much again in a minute. */
export const SYNC_PAGES = { burst: 128, perSecond: 2 }
export const SYNC_PULLS_PER_PEER_PER_MINUTE = 2048
/** Peers whose buckets are remembered. */
export const SYNC_PEERS = 1024

// DHT

/** Queries in parallel. With the library's 10, fifty nodes that start together spend twice the CPU on their tables. */
export const DHT_ALPHA = 3

/** Between two looks at what must be provided again. */
export const REPROVIDE_INTERVAL_MS = 5 * MINUTE
export const PROVIDER_VALIDITY_MS = HOUR
/** Time left at which a record is provided again: three chances before it expires. */
export const REPROVIDE_THRESHOLD_MS = 40 * MINUTE
export const PROVIDE_TIMEOUT_MS = 20 * SECOND
export const FIND_TIMEOUT_MS = 15 * SECOND
/** Untaken offers are repeated this often. */
export const PROVIDE_RETRY_MS = 5 * SECOND
/** A fresh neighbour reaches the routing table a moment after it connects. */
export const TABLE_WAIT_MS = 2 * SECOND

/** One peer of a lookup may hold it up for no longer. */
export const DHT_REQUEST_TIMEOUT = { minTimeout: 3 * SECOND, maxTimeout: 10 * SECOND }

// Value records

/** kad-dht does not answer with older records: a node that relies on one puts it again before. */
export const RECORD_LIFE_MS = 48 * HOUR
/** Of 4 KiB at most: 64 MiB on disk, and about 10 MiB of memory for the index. */
export const MAX_RECORDS = 16_384
/** Keys are free, and so are signatures: no signer and no peer may take more than a sixteenth of it. */
export const MAX_RECORDS_PER_SIGNER = MAX_RECORDS / 16
export const MAX_RECORDS_PER_PEER = MAX_RECORDS / 16
/** Puts of one peer. Each costs a signature check, 0.7 ms for BLS: a flooder gets half a percent of a core. */
export const RECORD_PUTS = { burst: 256, perSecond: 8 }
/** Peers whose puts are counted. */
export const RECORD_PEERS = 4096
/** Puts that wait for the disk. */
export const RECORD_QUEUE = 1024
/** Kept records that one put may meet while it looks for one to push out; each is remembered, and met once. */
export const RECORD_LOOKS = 64
/** The longest key: "/trust/" and two addresses of 50 bytes in base32. */
export const MAX_RECORD_KEY_BYTES = 256
/** A record is checked by kad-dht, by the peer that stores it and by the one that finds it, and comes from twenty peers: once is enough. */
export const CHECKED_RECORDS = 512
export const RECORD_SWEEP_MS = 10 * MINUTE
export const FIND_VALUES_TIMEOUT_MS = 5 * SECOND
/** When so many have answered, and then nothing happens for so long, the rest is not waited for: a few hang in any mesh. */
export const FIND_VALUES_ENOUGH = 8
export const FIND_VALUES_QUIET_MS = 1000

// Misbehaviour

/** Peers, by protocol, whose frames and bytes are counted; the most recent ones. */
export const RATE_PEERS = 8192
/**
 * Frames of the multiplexer on one connection. An honest peer opens a stream when an earlier one was answered, and other
 * implementations answer each frame with a window update.
 */
export const MUXER_RATES = {
  opened: { burst: 1024, perSecond: 512 },
  empty: { burst: 8192, perSecond: 2000 },
  all: { burst: 100_000, perSecond: 30_000 },
}
/** Held until it is whole. Implementations cut at 64 KiB or less. */
export const MAX_MUXER_FRAME_BYTES = MIB
/** A second excess within this time costs the connection. */
export const EXCESS_MEMORY_MS = MINUTE
/** How long a misbehaving peer is refused: doubled each time, forgotten after a day without. */
export const EXCLUSION = { firstMs: MINUTE, maxMs: 6 * HOUR, forgetMs: 24 * HOUR }
/** How often gossip's own scores are looked at. */
export const SCORE_CHECK_MS = SECOND

/** Peers whose conduct is remembered across reconnects. */
export const SCORED_PEERS = 4096
export const SCORE_HALF_LIFE_MS = 10 * MINUTE
