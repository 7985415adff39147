/** How long a statement waits for another connection's lock (a backup, a reader's checkpoint) before it gives up. */
export const BUSY_TIMEOUT_MS = 5000

/** Of the write-ahead log and the file. */
export const PAGE_BYTES = 4096

/**
 * Pages in the write-ahead log before a thread copies them into the file. Ids are hashes, so every insert touches other
 * pages; copying them seldom writes each less often. The first write of a log that begins again waits for the disk, in
 * the main thread, for 100 ms where code is transferred at the same time: with 8 pages for each announcement, that is
 * once in 2,000.
 */
export const CHECKPOINT_PAGES = 16_000

/** On a disk with little room the log gets this share of what is free when the journal is opened, but SQLite's default at least. */
export const LOG_SHARE_OF_FREE = 1 / 4
export const MIN_CHECKPOINT_PAGES = 1000

/** At so many times that length they are copied by the write that adds to them: where the thread fails, the log is bounded. */
export const MAX_LOG_FACTOR = 2

/**
 * A checkpoint is repeated so often at most while writes add to the log: SQLite writes the log from its beginning again
 * only when all of it is in the file.
 */
export const CHECKPOINT_PASSES = 10

/** Writes from one look at the length of the log to the next. */
export const WRITES_PER_LOOK = 64

/** Decisions kept for one service: enough to see what a change of policy did, bounded because policies reload often. */
export const VERDICTS_PER_SERVICE = 32

/** Receipts kept for one service: as many as it can want replicas. Node identities are free, so this is a bound. */
export const RECEIPTS_PER_SERVICE = 1024

/** Finished runs of forgotten services stay readable (state, exit code) for a week. */
export const FINISHED_RUN_RETENTION_MS = 7 * 24 * 3600 * 1000

/**
 * The history of what a run used: so many periods of each level, newest level first. Where a level has more, its oldest `together`
 * become one of the next level; the oldest of the last level are dropped. With a look each minute: two hours by the minute, a
 * day by ten minutes, and a week by the hour.
 */
export const USAGE_LEVELS = [
  { points: 120, together: 10 },
  { points: 144, together: 6 },
  { points: 168, together: 1 },
] as const

/** The history of a run that has ended is kept for so long. */
export const USAGE_RETENTION_MS = 7 * 24 * 3600 * 1000

/** And of so many ended runs at most, those that ended last: one takes up to 30 kB. */
export const ENDED_RUNS_WITH_USAGE = 500

/** Policies that are kept, the newest, and the bytes of their texts; the one in force is kept whatever its size. */
export const POLICIES_KEPT = 100
export const POLICY_BYTES_KEPT = 8 * 1024 * 1024

/** Names whose version head is kept, for each announcement that may be kept: a head is a tenth of an announcement's size. */
export const HEADS_PER_ANNOUNCEMENT = 4

/** Forgetting goes a little below the bound, so that the next announcement does not start it again. */
export const PRUNE_SLACK = 0.05

/** Numbers of a journal's sequence for one opening of the file: 2^34 commits, and 2^19 openings until numbers are not exact. */
export const SEQUENCE_PER_OPENING = 2 ** 34
