/** Known announcements kept in memory besides the journal: a copy of one costs no look-up. About 1 KiB each. */
export const CACHED_ENTRIES = 4096

/** Runners take messages in batches; so many questions at once keep one busy without holding the whole queue. */
export const MAX_DECISIONS = 64

/**
 * Updates take the place of their predecessor and are not counted as new, or an author with 64 services could not
 * update them. But one key must not talk without end either.
 */
export const UPDATES_PER_AUTHOR_PER_MINUTE = 64

/**
 * A copy that a better one may turn into this node's emission keeps its sender waiting so long: two of gossipsub's
 * heartbeats, in which gossipsub notifies the neighbours outside its mesh. Without it each late better copy would have to be offered
 * to every neighbour over a stream, for gossip publishes nothing that it has seen.
 */
export const HOLD_MS = 2000

/** Authors and peers whose rates are remembered at once. Losing one only makes its minute begin again. */
export const COUNTED_KEYS = 8192

/** Refused ids that sync must not fetch again and again; losing one costs one more pull. */
export const DENYLIST_SIZE = 8192

/** An author with too many live services: a slot may be free again later. */
export const QUOTA_RETRY_MS = 10 * 60_000

/** How soon a neighbour is asked for what a quota or a full queue ignored. */
export const DEFERRED_PULL_EVERY_MS = 5000

/** Asked for at once: with the interval, how much a flood can still bring in through sync. */
export const MAX_DEFERRED_PULLS = 64

/** Attempts to pull one deferred id, the wait doubling each time; then only the regular rounds of sync may bring it. */
export const DEFERRED_PULL_ATTEMPTS = 6

/** Senders remembered for one deferred id: another one is asked when the first has gone. */
export const PEERS_PER_DEFERRED_PULL = 3

/** How often maintenance handles expired, undecided and unsent announcements. */
export const MAINTENANCE_EVERY_MS = 60_000

/** Emissions that no neighbour received, tried again in one round of maintenance. */
export const MAX_REBROADCASTS = 256

/** The journal is pruned early when it has grown by this share of its bound since the last time. */
export const PRUNE_GROWTH = 0.1

/** Authors whose address is kept as text, for events. */
export const CACHED_ADDRESSES = 4096

/** How often the log says that the journal cannot be written. */
export const JOURNAL_WARN_MS = 60_000
