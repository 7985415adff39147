/** Longest path of one file in an archive, in bytes of UTF-8: far over what projects use, far under what a kernel opens. */
export const MAX_PATH_BYTES = 1024
/** Longest name of one file or folder in bytes: what ext4, XFS, APFS and tmpfs can store. */
export const MAX_NAME_BYTES = 255
/** ustar writes a size with eleven octal digits. */
export const MAX_FILE_BYTES = 8 ** 11 - 1

/** Symbolic links of one archive, and the bytes of their paths and targets: far over what package managers make. */
export const MAX_LINKS = 65_536
export const MAX_LINK_BYTES = 8 * 1024 * 1024
/** Links that one may follow after another while a folder is packed: what a kernel allows. */
export const MAX_HOPS = 40
/** Files and links that cannot be packed, or that lead nowhere, which one sentence names. */
export const MAX_NAMED = 20

/** A file is read in pieces of this size while a folder is packed. */
export const READ_BYTES = 256 * 1024

/** A list of what not to pack is written by a person. */
export const MAX_IGNORE_BYTES = 64 * 1024
/** `**` before the end of a rule of `.thundercloudignore`; each multiplies the time of a test by the depth of the path. */
export const MAX_RULE_GLOBSTARS = 2
/** `**` in the middle of the rules of one `.thundercloudignore`: bounds the time that one path takes. */
export const MAX_GLOBSTARS = 100

/** Most chunks asked for and not yet there, per provider: hides the way there and back, and bounds memory (tried: 1 to 3 is enough). */
export const REQUESTS_AHEAD = 3
/** A chunk that takes longer to come has none behind it: what is asked of one provider is not asked of another. */
export const WINDOW_MS = 1_000
/** Chunks of one fetch on their way to the disk; beyond it, providers are read no further. */
export const WRITES_AHEAD = 4
/** Chunks of memory kept between fetches: what two providers need at once. */
export const MAX_BUFFERS = 2 * (REQUESTS_AHEAD + WRITES_AHEAD)
/** Providers of one code that are pulled from at once. */
export const MAX_PROVIDERS_AT_ONCE = 8
/** A provider must answer with the next frame within this time (at least 35 KB/s). */
export const ANSWER_MS = 30_000
/** A connection to a provider that takes longer is not worth waiting for. */
export const OPEN_MS = 10_000
/** A provider that has not answered the call for so long leaves its place to another, which is called besides. */
export const PLACE_MS = 1_000
/** Providers of one code that are pulled from or called at once. Calls are cheap, and made-up names are free. */
export const MAX_CALLS_AT_ONCE = 32
/** A chunk that one provider has owed for this long at least is also asked of an idle one. */
export const SLOW_MS = 3_000
/** A blob of an image that one provider brings more slowly than this is asked of another one that has nothing to do. */
export const SLOW_BLOB_BYTES_PER_SECOND = 256 * 1024
/** Not before it has had so much time. */
export const SLOW_BLOB_MS = 10_000
/** Chunks that all providers of one fetch may owe at least, so that a few fast ones begin at once; more where they come within WINDOW_MS. */
export const MIN_CHUNKS_AHEAD = 6
/** A chunk that a provider did not have, or had no time for, is asked of it again after this. */
export const REFUSED_MS = 500
/** Chunks in a row that a provider may not have before it is left alone for as long. */
export const MAX_REFUSALS = 16
/** A provider that only refused for so long makes room for another. */
export const USELESS_MS = 10_000
/** A provider that failed is tried again after a while, while others bring something. */
export const PROVIDER_BACKOFF = { firstMs: 1_000, maxMs: 30_000 }
/** Peers that are remembered as providers of one code while it is fetched. */
export const MAX_CANDIDATES = 128
/** Peers that sent invalid data, and are not asked again while the code is fetched. */
export const MAX_EXCLUDED = 1024
/** How often it is looked whether a peer that waits may take its turn. */
export const JOIN_MS = 500
/** On a slow line all chunks take long: only one that takes so many times longer than usual, and longer than SLOW_MS, is slow. */
export const SLOW_CHUNK_FACTOR = 3
/** A provider that takes so many times longer than the fastest, and longer than SLOW_MS, makes room for one that waits. */
export const SLOW_FACTOR = 4
/** While a transfer runs, providers are looked for again this often. */
export const REDISCOVER_MS = 30_000
/** Providers that failed, the last ones, which the sentence about a fetch names with what went wrong. */
export const MAX_FAILURES_NAMED = 5

/** Between two rounds of looking for a code. */
export const OBTAIN_BACKOFF = { firstMs: 1_000, maxMs: 60_000 }
/** Between two attempts to fetch damaged code again. A disk that loses it each time, and a provider that lies, cost little. */
export const REPAIR_BACKOFF = { firstMs: 10_000, maxMs: 3_600_000 }
/** One attempt; what came from peers is kept for the next. */
export const REPAIR_MS = 20 * 60_000
/** Codes that are fetched again at once. */
export const MAX_REPAIRS = 2
/** Codes whose attempts are remembered. */
export const MAX_REPAIRED = 1024
/** Progress is reported at most this often. */
export const PROGRESS_MS = 250

/** Streams of all peers; each holds at most two chunks in memory, so this bounds memory at about 64 MiB. */
export const MAX_STREAMS = 32
export const ARCHIVE_STREAMS = { max: MAX_STREAMS, maxPerPeer: 4, unusedMs: 10_000, minBytesPerSecond: 64 * 1024 }
/** Chunks' memory that is kept while no stream uses it: for as many streams as usually send at once. */
export const MAX_SPARE_FRAMES = 8
/** Chunks that are sent at once at least: with one, a receiver that is busy elsewhere leaves the way out idle. */
export const MIN_UPLOADS = 2
/** A chunk that waited so long for its turn is refused: the peer asks another, and comes back where none has it. */
export const UPLOAD_WAIT_MS = 200
/** A chunk that has been on its way for so long no longer keeps others from being sent. */
export const UPLOAD_HOLD_MS = 5_000
/** Chunks of which it is known how often they were sent from here: 64 GiB of them. */
export const MAX_COUNTED_CHUNKS = 65_536
/** Slow peers that are remembered. */
export const MAX_SLOW_PEERS = 1024
/** A client that asks nothing for this long is let go. */
export const IDLE_MS = 60_000
/** A client that was turned away has this long to go. */
export const CLOSE_GRACE_MS = 5_000
/** A client that does not take one frame within this time is let go. */
export const SEND_MS = 30_000
/** A way that is faster than this is not helped by zstd, which takes and gives about 300 MB/s on one core. */
export const FAST_BYTES_PER_SECOND = 60_000_000
/** A compressed chunk must save at least this share; less is not worth the client's work. */
export const WORTHWHILE_SAVING = 0.05
/** Chunks that are sent untried after some that zstd did not help: one try in so many costs little, and finds where text begins. */
export const MAX_UNCOMPRESSED_RUN = 15
/** log2 of the zstd window: 1 MiB, one chunk. A reader needs no more memory than that. */
export const ZSTD_WINDOW_LOG = 20

/** Entries that the store looks at in one archive: as many as fit, each of one block and one of content. */
export const MAX_STORED_ENTRIES = 4_200_000
/** A use is noted on the disk at most this often: eviction needs days, not milliseconds. */
export const TOUCH_MS = 60_000

/** Space that a download from a source has in the store beyond what it wrote; it grows with that. */
export const SCRATCH_AHEAD_BYTES = 4 * 1024 * 1024
/** How often a download's folder is measured: what a disk takes in this time is the most that it can be ahead. */
export const SCRATCH_WATCH_MS = 100

/** Files and folders that a download may work with: contents are spooled into one, a pack of git takes a few. */
export const MAX_SCRATCH_ENTRIES = 256

/** Bytes of the store's share of the disk for each file, folder or link in it: what ext4 reserves for an inode. */
export const BYTES_PER_FILE = 16 * 1024
/** Files that even the smallest store may hold. */
export const MIN_STORE_FILES = 16_384
/** What a code takes that is not unpacked: its folder, manifest, tar and provenance. */
export const FILES_PER_CODE = 4
/** Code of this size is taken whatever disk was granted: a service that writes nothing is still a service. */
export const ALWAYS_TAKEN_BYTES = 1024 * 1024
/** A file of an archive takes at least its header. */
export const MIN_BYTES_PER_FILE = 512

/** Files and folders that one code may unpack to. */
export const DEFAULT_MAX_ENTRIES = 100_000
/** An unpacking that takes longer is stuck: 4 GiB at 20 MB/s. */
export const UNPACK_MS = 200_000
/** Unpacked codes known to be right; one that is forgotten is compared with its archive again. */
export const MAX_KNOWN_UNPACKED = 4096
/** The user that reads archives if the node is root: `nobody`. */
export const UNPACK_UID = 65_534
/** Heap of the unpacking process: it holds one chunk and one header at a time. */
export const UNPACK_HEAP_MB = 64
/** Heap of the process that downloads: metadata of a package index takes tens of megabytes. */
export const FETCH_HEAP_MB = 256
/** Heap of the process that packs what a task left: it keeps names, and no contents. */
export const PACK_HEAP_MB = 192
/** Packing what a task left takes no longer: 4 GiB at 20 MB/s. */
export const PACK_MS = 200_000
/** Downloads from sources at once: of all services, and of those of one author. */
export const DOWNLOADS = { max: 4, maxPerAuthor: 2 }
/** A download may take so long in all. */
export const DOWNLOAD_MS = 15 * 60_000
/** A neighbour of the publisher tries a source when nobody has the code; each redirection further away waits so long for peers first. */
export const MESH_FIRST_MS = 5_000
/** While they have the first word, peers are asked this often. */
export const MESH_AGAIN_MS = 1_000
/** What the unpacking process may say: as many links as an archive may have, with what JSON puts around them. */
export const MAX_CHILD_OUTPUT = 2 * MAX_LINK_BYTES + 64 * MAX_LINKS
