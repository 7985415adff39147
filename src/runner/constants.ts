/** Time for one decision. The gossip validator waits no longer for a verdict. */
export const DECIDE_TIMEOUT_MS = 2000
/** JavaScript heap of the runner's process; what is over ends it with V8's own error. */
export const HEAP_MB = 128
/** Half of the heap's young part. V8's own choice costs 50 MiB more of resident memory and decides no faster. */
export const YOUNG_MB = 8
/** Resident memory of the runner's process: the heap, Node itself (about 60 MiB), and buffers outside the heap. */
export const RESIDENT_BYTES = 256 * 1024 * 1024
/** Importing a module and its dependencies takes well under a second; a top-level await that never ends takes for ever. */
export const LOAD_TIMEOUT_MS = 10_000
/** A process that finds no processor has not hung. Above so many times its limit it is ended all the same. */
export const MAX_STARVED_TIMES = 5
/** How often a process is looked at: a buffer grows by some 100 MiB in this time. */
export const WATCH_EVERY_MS = 100
/** Requests under way in one process. Enough to fill a batch; few enough that a hang delays little. */
export const WINDOW = 256
/** Requests that wait. More are refused: intake has its own bounded queue before this one. */
export const MAX_WAITING = 16_384
/** After the first death at once, then with growing waits, until an answer comes again. */
export const RESTART_FIRST_MS = 250
export const RESTART_MAX_MS = 30_000
/** Editors write a file in several steps; a swap waits until they are done. */
export const SAVE_DEBOUNCE_MS = 200
/** Folders of a runner's code that are watched. One with more keeps its packages there. */
export const MAX_WATCHED_FOLDERS = 64
/** One line from the runner's process: a verdict with every reason, with space to spare. */
export const MAX_LINE_BYTES = 256 * 1024
/** Lines that a runner may log or print in a second; the rest is counted. */
export const MAX_LOG_LINES_PER_SECOND = 200
/** Characters of one line that the runner logs or prints. */
export const MAX_RUNNER_LOG_LINE = 2000
/** Node-wide facts that the runner's process remembers; nodes that share a host have their own. */
export const FACT_SLOTS = 64
/** Configurations that it remembers. */
export const CONFIG_SLOTS = 64
/** The user "nobody": a process of it can signal no process of the node. */
export const NOBODY = 65_534
