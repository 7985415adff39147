/** Bodies of announcements and manifests are small: a slower client holds a connection rather than sends. */
export const BODY_TIMEOUT_MS = 10_000
/** A piece of an archive must come at least so often; the whole may take as long as it takes. */
export const ARCHIVE_IDLE_MS = 30_000
/** Time to send a request's headers. */
export const HEADERS_TIMEOUT_MS = 10_000
/** An idle connection is kept for the next request so long. */
export const KEEP_ALIVE_MS = 5_000
/** Connections at once without the token. The open routes are for anyone; the descriptors that a node needs for its peers are not. */
export const MAX_CONNECTIONS = 256
/** Of these, from one address: one more displaces one of its own. */
export const MAX_CONNECTIONS_PER_ADDRESS = 32
/** Requests of one address without the token that are being answered; its bodies are held in memory. */
export const MAX_REQUESTS_PER_ADDRESS = 16
/** Requests a second of one address without a valid token. A new author's announcement takes up to 3 ms of a processor. */
export const REQUESTS_PER_SECOND = 50
/** So many come at once, after a pause: the dashboard's files, or a publisher's services. */
export const REQUESTS_AT_ONCE = 200
/** Addresses whose requests are counted. */
export const COUNTED_ADDRESSES = 4096
/** How often the files of API_TLS are looked at for a change. */
export const TLS_LOOK_MS = 10_000
/** Connections with the token, or over the socket: each program of the operator's has a few. */
export const MAX_OPERATOR_CONNECTIONS = 256
/** Requests in their last moment get so long when the server stops; event streams get none. */
export const CLOSE_GRACE_MS = 2_000

/** A comment on a silent stream: proxies and clients give up on connections that say nothing for half a minute or more. */
export const HEARTBEAT_MS = 15_000
/** What may wait for a slow reader of a stream. A reader that is further behind than this is let go. */
export const MAX_STREAM_BUFFER_BYTES = 1024 * 1024
/** Events that a reconnecting reader can still get with Last-Event-ID. A few minutes of a busy node. */
export const EVENT_MEMORY = 1024
/** Health is open to anyone and asks engines: it is asked at most once in this time. */
export const HEALTH_MS = 1_000
/** How long a client should wait before it tries a full queue again. */
export const RETRY_AFTER_SECONDS = 5

/** Lines from the end of a log where the request does not say. */
export const DEFAULT_TAIL = 100
export const MAX_TAIL = 10_000
/** Asking the mesh's records for statements: a few lookups at once, each of which may wait for peers that are gone. */
export const LOOK_UP_MS = 12_000
/** Asking other nodes ends by then, with the answers that have come. */
export const ASK_MS = 5_000

/** How often it is looked whether the operator's socket is still there. */
export const SOCKET_LOOK_MS = 30_000

/** A link to the dashboard opens it within this time, once. */
export const LINK_SECONDS = 60
/** Links that wait to be opened; with one more, the oldest is void. */
export const MAX_LINKS = 16
/** A session of the dashboard ends after a working day, whatever is done with it. */
export const SESSION_SECONDS = 12 * 3600
/** It ends earlier where nothing is asked for so long. */
export const SESSION_IDLE_SECONDS = 2 * 3600
/** Sessions at once; with one more, the oldest ends. */
export const MAX_SESSIONS = 32

/** Tunnels at once that the API has opened, and those of one session, token or socket. */
export const MAX_TUNNELS = 16
export const MAX_TUNNELS_PER_PRINCIPAL = 8
/** Connections at once of one tunnel. */
export const MAX_TUNNEL_CONNECTIONS = 64

/** A block that ends by itself does so within this time. */
export const MAX_BLOCK_SECONDS = 366 * 86_400
/** Characters of the operator's own words about a block. */
export const MAX_BLOCK_NOTE = 200

/** Items of a page where the request does not say. */
export const DEFAULT_PAGE = 100
export const MAX_PAGE = 1000

/** Tokens at once, beside the operator's. */
export const MAX_TOKENS = 256
export const MAX_TOKEN_SECONDS = 366 * 86_400
/** Streams of a token that has expired end within this time. */
export const TOKEN_LOOK_MS = 10_000
/** The audit log's file; with one more line it is kept as `.1`, and another one begins. */
export const AUDIT_FILE_BYTES = 4 * 1024 * 1024
