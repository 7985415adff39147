/** What a process of one kind may have. docs/processes.md shows this table, and a test compares the two. */
export type ProcessRule = {
  readonly what: string
  /** untrusted bytes that it reads */
  readonly reads: string
  /** names of its environment, `*` at the end for all that begin so; nothing else passes */
  readonly environment: readonly string[]
  /** what descriptors from 3 on are; all others are closed before the program begins */
  readonly descriptors: readonly string[]
  readonly cwd: string
  readonly umask: number
  /** how many descriptors it may open */
  readonly files: number
  /** seconds of processor time, after which the kernel ends it */
  readonly cpuSeconds?: number
  /** MiB of private memory that it may map (RLIMIT_DATA); undefined: what its user may */
  readonly memory?: number
  /** its user if the node is root */
  readonly user: string
}

const FILES = 4096
/** What V8 reserves for compiled code and the stacks of its threads. Almost none of it is ever used, and all of it counts. */
const NODE_RESERVES = 640

/** One row for each kind of process. A process of no kind cannot be started. */
export const PROCESSES = {
  run: {
    what: 'a service in its sandbox',
    reads: "the author's code",
    environment: [],
    descriptors: [
      "bubblewrap's status (closed before the service begins)",
      'filter of system calls (likewise)',
      'requests for checks, or the message to what waits for the run (likewise)',
      'their exit codes (likewise)',
    ],
    cwd: '/',
    umask: 0o022,
    files: FILES,
    user: "the run's own",
  },
  build: {
    what: "a service's build in its sandbox",
    reads: "the author's code",
    environment: [],
    descriptors: ["bubblewrap's status (closed before the build begins)", 'filter of system calls (likewise)'],
    cwd: '/',
    umask: 0o022,
    files: FILES,
    user: "the build's own",
  },
  scanner: {
    what: "a hub's scanner in its sandbox",
    reads: "the author's code",
    environment: [],
    descriptors: ["bubblewrap's status (closed before the scanner begins)", 'filter of system calls (likewise)'],
    cwd: '/',
    umask: 0o022,
    files: FILES,
    user: "the run's own",
  },
  permission: {
    what: "a service of the node's own address under Node's permission model",
    reads: "the operator's code, and what its clients send",
    environment: ['HOME', 'TMPDIR', 'LANG', 'THUNDERCLOUD_ENV'],
    descriptors: [],
    cwd: "the service's code",
    umask: 0o022,
    files: FILES,
    user: "the run's own",
  },
  shim: {
    what: 'the process that stays with a run, keeps its limits and writes its log',
    reads: "the service's output, and bytes for its ports and its way out",
    environment: [],
    descriptors: ["bubblewrap's status", 'where it waits for a run: the order to begin (closed then)'],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: "the run's own",
  },
  runner: {
    what: "the operator's policy",
    reads: 'announcements, decoded',
    environment: [],
    descriptors: ['requests', 'answers', 'a pipe that ends with the node'],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: 'nobody, before the module is loaded',
  },
  unpack: {
    what: 'unpacking of an archive',
    reads: 'archives',
    environment: [],
    descriptors: ['the archive, for reading'],
    cwd: 'the folder that it fills',
    umask: 0o022,
    files: FILES,
    memory: NODE_RESERVES + 256,
    user: 'nobody, before the first byte is read',
  },
  fetch: {
    what: 'a download of code from a source that is not the mesh',
    reads: 'what servers answer, and archives',
    environment: [],
    descriptors: ['the way out: HTTP/2 to the gateway', 'its answer'],
    cwd: 'the folder that it fills',
    umask: 0o077,
    files: FILES,
    cpuSeconds: 300,
    memory: NODE_RESERVES + 640,
    user: 'nobody, before the first byte is read',
  },
  pack: {
    what: 'packing of what a task left',
    reads: 'files and names that a task wrote',
    environment: [],
    descriptors: ['its report'],
    cwd: 'the folder that it fills',
    umask: 0o077,
    files: FILES,
    cpuSeconds: 300,
    memory: NODE_RESERVES + 384,
    user: 'nobody, before the first byte is read',
  },
  probe: {
    what: 'a test whether sandboxes can be made',
    reads: 'nothing',
    environment: [],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: 'root',
  },
  mounter: {
    what: 'what waits beside a warm sandbox or container, to mount the code of its run',
    reads: 'nothing',
    environment: [],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: 'root',
  },
  tool: {
    what: 'a program of the machine that reports something or prepares a folder',
    reads: 'nothing',
    environment: ['GIT_NO_LAZY_FETCH', 'GIT_ALLOW_PROTOCOL', 'NOTIFY_SOCKET'],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: 'root',
  },
  alert: {
    what: "the operator's command for an alert",
    reads: 'the alert, in which names of services are sanitized',
    environment: ['PATH', 'LANG', 'HOME'],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: 'nobody, before the command begins',
  },
  simulation: {
    what: 'a simulation, whose time and chance are its own',
    reads: 'nothing',
    environment: [],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: FILES,
    user: "the researcher's",
  },
  live: {
    what: 'nodes of a live simulation, or the relay between them',
    reads: 'what a node reads',
    environment: [],
    descriptors: [],
    cwd: '/',
    umask: 0o077,
    files: 1_048_576,
    user: "the researcher's",
  },
  patched: {
    what: 'the simulator, in a copy of the sources with a patch',
    reads: 'nothing',
    environment: ['HOME', 'TMPDIR'],
    descriptors: [],
    cwd: "the researcher's",
    umask: 0o022,
    files: FILES,
    user: "the researcher's",
  },
  node: {
    what: 'a node of the demo',
    reads: 'what a node reads',
    environment: ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'XDG_*', 'DOCKER_*', 'THUNDERCLOUD_*', 'NODE_CHANNEL_*'],
    descriptors: ['a channel that ends with the demo'],
    cwd: "the demo's",
    umask: 0o022,
    files: 1_048_576,
    user: "the demo's",
  },
} as const satisfies Readonly<Record<string, ProcessRule>>

export type ProcessKind = keyof typeof PROCESSES
