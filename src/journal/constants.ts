/** How long a statement waits for another connection's lock (a backup, a reader's checkpoint) before it gives up. */
export const BUSY_TIMEOUT_MS = 5000

/**
 * Pages (4 KiB) in the write-ahead log before a thread copies them into the file. Ids are hashes, so every insert touches
 * other pages; copying four times as rarely as SQLite's default writes each of them less often.
 */
export const CHECKPOINT_PAGES = 4000

/** So many are copied by the write that adds to them, in the main thread: where the other one fails, the log is bounded. */
export const MAX_LOG_PAGES = 4 * CHECKPOINT_PAGES

/**
 * A checkpoint is repeated so often at most while writes add to the log: SQLite writes the log from its beginning again
 * only when all of it is in the file.
 */
export const CHECKPOINT_PASSES = 10

/** Writes from one look at the length of the log to the next. */
export const WRITES_PER_LOOK = 64

/** The write-ahead log is cut back to this size after a checkpoint, so that one burst does not keep the disk for ever. */
export const WAL_LIMIT_BYTES = 16 * 1024 * 1024

/** Decisions kept for one service: enough to see what a change of policy did, bounded because policies reload often. */
export const VERDICTS_PER_SERVICE = 32

/** Receipts kept for one service: as many as it can want replicas. Node identities are free, so this is a bound. */
export const RECEIPTS_PER_SERVICE = 1024

/** Finished runs of forgotten services stay readable (state, exit code) for a week. */
export const FINISHED_RUN_RETENTION_MS = 7 * 24 * 3600 * 1000

/** Names whose version head is kept, for each announcement that may be kept: a head is a tenth of an announcement's size. */
export const HEADS_PER_ANNOUNCEMENT = 4

/** Forgetting goes a little below the bound, so that the next announcement does not start it again. */
export const PRUNE_SLACK = 0.05

/** Numbers of a journal's sequence for one opening of the file: 2^34 commits, and 2^19 openings until numbers are not exact. */
export const SEQUENCE_PER_OPENING = 2 ** 34
