import type { Backoff } from '../base/retry.ts'

/** The user of a service inside a container: `nobody`, on every distribution. */
export const NOBODY = 65534

/**
 * The users of services on a host whose node is root: one per run, so that the kernel's per-user counts are per run.
 * systemd's range for dynamic users, which no distribution gives to a person or a daemon.
 */
export const SANDBOX_UIDS = { first: 61184, count: 4336 }

/** The user of a gateway inside its container: no run is this user, so none can signal it. */
export const GATEWAY_UID = 65533

/** Files that a folder of so many bytes may hold, and never too few to work with: each costs the kernel memory. */
export function inodesFor(bytes: number): number {
  return Math.max(1024, Math.floor(bytes / 512))
}

/** An ext4 file system keeps 256 bytes for each file beside its bitmaps. */
const EXT4_INODE_BYTES = 256
const EXT4_OVERHEAD_BYTES = 2 * 2 ** 20

/** The size of an ext4 image that takes so many bytes. */
export function ext4Bytes(bytes: number): number {
  return bytes + inodesFor(bytes) * EXT4_INODE_BYTES + EXT4_OVERHEAD_BYTES
}

/** /tmp of a run: scratch for libraries that insist; what a service writes belongs into /work. */
export const TMP_BYTES = 16 * 1024 * 1024
export const SHM_BYTES = 16 * 1024 * 1024

/** Open files of one process in a run: more than any sane server's connections, far below the kernel's table. */
export const MAX_OPEN_FILES = 4096

/** The first request through a gateway comes while a service is still starting: how long to wait for its port. */
export const CONNECT_PATIENCE_MS = 15_000
/** A gateway's own Node starts in half a second on an idle machine. */
export const GATEWAY_START_MS = 10_000
/** Between two attempts to connect: a person does not notice, a starting service is not disturbed. */
export const CONNECT_RETRY_MS = 50

/** Characters of one line of a run's log; longer ones are cut into pieces. Docker's own logger cuts at 16 KiB. */
export const MAX_RUN_LOG_LINE = 8 * 1024
/** Output that is read per second from one run, and at once. A run that writes faster waits: its pipe is full. */
export const LOG_BYTES_PER_SECOND = 2 * 1024 * 1024
export const LOG_BURST_BYTES = 8 * 1024 * 1024
/** What a container may write at once before it waits: less than its engine keeps, so that all of it is read. */
export const LOG_ATTACH_BURST_BYTES = 2 * 1024 * 1024
/** What a line costs in the engine's log beside its bytes: braces, names, stream and time. */
export const ENGINE_LINE_COST = 72
/** What a service's log may keep at least, however small its disk. */
export const MIN_LOG_BYTES = 1024 * 1024
/** How often old logs, and those above the node's bound, are removed. */
export const LOG_CLEANUP_MS = 60_000
/** How often a followed log is looked at where the kernel does not say that it has changed. */
export const LOG_POLL_MS = 150

/** Node as a gateway or shim needs about 45 MiB; its heap holds only what is under way. */
export const HELPER_HEAP_MIB = 48
export const GATEWAY_MEMORY_BYTES = 128 * 1024 * 1024
export const GATEWAY_PIDS = 32
/** Between attempts to serve the way out of a run. */
export const EGRESS_RETRY_MS = 500
/** Connections of one run at once, and those that it may begin in a second: a resolver and strangers' servers are asked for each. */
export const EGRESS_CONNECTIONS = 64
export const EGRESS_CONNECTIONS_PER_SECOND = 20
/** Kilobits a second of a build, where NETCAP.RATE_KBPS says no less: downloads leave room for what runs. */
export const BUILD_RATE_KBPS = 200_000
/** Millicores of a gateway that the run itself can give work: its way out. */
export const GATEWAY_CPU = 1000

/** How often the other side of a transport is made to answer; firewalls close connections after a minute of silence. */
export const TRANSPORT_PING_MS = 15_000

/** How often a run's expiry is compared with the wall clock, which may be set. */
export const EXPIRY_LOOK_MS = 2000

/** How often memory is looked at where no cgroup limits it: an allocation of 1 GiB takes Node about 0.3 s. */
export const MEMORY_WATCH_MS = 100

/** How often a run's disk is looked at where the kernel does not limit it. */
export const DISK_LIMIT_MS = 100

/** After a run of this length the back-off begins again. */
export const STEADY_MS = 60_000
/** A start that takes longer is overdue: the next one begins beside it. A cold start takes a second, on a busy machine a few. */
export const START_OVERDUE_MS = 10_000
/** An executor with so many overdue starts begins no other: its engine hangs, or makes an image. */
export const MAX_OVERDUE_STARTS = 8
/** Of these, so many of one author at most: others start beside an author whose images hang. */
export const MAX_OVERDUE_STARTS_OF_AUTHOR = 4
/** How often it is looked what a run uses. */
export const USAGE_PERIOD_MS = 60_000
/** Between attempts to reach an engine that went away, or code that is not there. */
export const RETRY_BACKOFF: Backoff = { firstMs: 250, maxMs: 30_000 }
/** Attempts to obtain code; with the back-off about five minutes. */
export const FETCH_ATTEMPTS = 14
/** Taking and packing what a task left has so long, an engine that is away and a full disk included. */
export const COLLECT_MS = 5 * 60_000
/** How often a run that met a full disk looks whether there is space. */
export const DISK_FULL_RETRY_MS = 5_000
/** A service is healthy when its check passed, or all its ports have accepted a connection, and it stayed up for this long after. */
export const HEALTHY_AFTER_PORTS_MS = 2000
/** How often a starting service's ports are tried. */
export const HEALTH_POLL_MS = 100
/** How often a build's folder is measured: its disk is watched, not limited. */
export const DISK_WATCH_MS = 1000
/** How often a run's gateway is asked whether it is there, and how many silences in a row mean that it is lost. */
export const GATEWAY_CHECK_MS = 5000
export const GATEWAY_FAILURES = 3
/** A timer may not be set further than 2^31 ms ahead. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Unix socket paths end at 107 bytes; below this folder come a separator and at most 20 characters. */
export const MAX_RUNTIME_DIR_BYTES = 86

/** The image name that denotes this machine's own Node. */
export const NODE_IMAGE = 'thundercloud/node'
export const LABEL = { node: 'thundercloud.node', service: 'thundercloud.service', run: 'thundercloud.run' }
export const LABEL_ROLE = 'thundercloud.role'
/** The engine keeps this much of a run's output until the node has read it. */
export const ENGINE_LOG = { 'max-size': '4m', 'max-file': '2' }
