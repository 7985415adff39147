/**
 * Every number that two implementations must agree on. Sizes are bytes, times are whole seconds.
 * A message over one of these is malformed: its sender is penalized.
 */

/** Arrays and maps inside one another. No message needs more than 4; a reader that calls itself must have an end. */
export const MAX_NESTING = 16

/**
 * One announcement on the wire; also the body cap of `POST /service`. It bounds all that is inside: fields without a
 * limit of their own (inline source, stapled statements and credentials) cannot be larger.
 */
export const MAX_ANNOUNCEMENT_BYTES = 16 * 1024
/** An address as text: `bls12-381:0x` and 96 digits. No longer text is a valid one. */
export const MAX_ADDRESS_TEXT_LENGTH = 108
/** 0 = only the publisher's neighbours receive it. */
export const MAX_DEPTH = 8
/** A service or stop lives at most this long. */
export const MAX_LIFETIME_SECONDS = 30 * 24 * 3600
/** How far `issued` may lie ahead of the receiver's clock before the message is ignored. */
export const CLOCK_SKEW_SECONDS = 120
/** Dedupe outlives `expires` by twice the skew: a replay cannot slip through between two clocks. */
export const DEDUPE_AFTER_EXPIRY_SECONDS = 240

export const MAX_NAME_LENGTH = 64
export const MAX_TITLE_LENGTH = 128
export const MAX_DESC_LENGTH = 4096
export const MAX_KEYWORDS = 32
export const MAX_KEYWORD_LENGTH = 64
export const MAX_TOOLCHAINS = 16
export const MAX_CHAINS = 16
export const MAX_SOURCES = 8
export const MAX_URL_LENGTH = 512
export const MAX_ARGUMENTS = 64
export const MAX_ARGUMENT_LENGTH = 2048
export const MAX_ENV = 64
export const MAX_PORTS = 8
/** Paths that a task may leave for its author. */
export const MAX_OUTPUTS = 16
export const MAX_EGRESS = 32
export const MAX_STAPLES = 8
export const MAX_REPLY_TO = 4
export const MAX_REPLICAS = 1024

/** Archives are cut into chunks of this size; only the last may be shorter. */
export const CHUNK_BYTES = 1024 * 1024
/** 4 GiB of code; keeps a manifest under 160 KiB. */
export const MAX_CHUNKS = 4096
/** One configuration or layer of an image. */
export const MAX_BLOB_BYTES = CHUNK_BYTES * MAX_CHUNKS
export const MAX_MANIFEST_BYTES = 160 * 1024
/** Chunks that one archive request may ask for; the client pulls, so this bounds what a server buffers. */
export const MAX_CHUNKS_PER_REQUEST = 16

export const MAX_REASONS = 32
export const MAX_REASON_LENGTH = 512
/** One signed receipt. */
export const MAX_RECEIPT_BYTES = 32 * 1024
/** A request on any of the request streams, and each answer but a chunk: 1,024 ids of a sync list take 44 KiB. */
export const MAX_REQUEST_BYTES = 64 * 1024
/** One answer of the archive stream: a whole chunk, and the map around it. */
export const MAX_ARCHIVE_ANSWER_BYTES = CHUNK_BYTES + 64
/** One access token. */
export const MAX_TOKEN_BYTES = 512

/** A token that opens logs and ports is short-lived: it cannot be called back. */
export const MAX_ACCESS_SECONDS = 24 * 3600

/** One hub statement or delegation with its signature: what a DHT record may hold. */
export const MAX_STATEMENT_BYTES = 4 * 1024
/** A statement is valid for a year at most: what was superseded must be remembered until it could no longer be valid. */
export const MAX_STATEMENT_SECONDS = 366 * 24 * 3600
/** The name of a host chain, or a symbiote's address in its longest spelling (prefix and hex). */
export const MAX_CHAIN_LENGTH = 128
/** Links below one delegation: each costs the verifier of the chain a lookup and a signature check. */
export const MAX_DELEGATION_DEPTH = 16
/** Members of one multisig hub; their bitmap takes 32 bytes. */
export const MAX_MEMBERS = 256

/** Ids in one sync list or pull. */
export const MAX_SYNC_ITEMS = 1024
/** Statements in one sync list or pull: 512 ids with the longest addresses take 47 KiB. */
export const MAX_SYNC_STATEMENTS = 512

/** Payload of one tunnel frame. */
export const MAX_TUNNEL_FRAME_BYTES = 64 * 1024
/** What a tunnel side may send before the first credit arrives. */
export const TUNNEL_WINDOW_BYTES = 256 * 1024
