import { lstatSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { MAX_OPEN_FILES, NOBODY } from '../constants.ts'
import type { Plan, ReadOnlyMount } from '../types.ts'

/** Where the node's own Node.js is seen in a sandbox. */
const NODE_DIR = '/opt/thundercloud/bin'
/** Where a sandbox finds the programs of this machine. */
export const PROGRAM_DIRS = ['/usr/local/bin', '/usr/bin', '/bin'] as const
const PATH = [NODE_DIR, ...PROGRAM_DIRS].join(':')
/** bubblewrap makes the folders above what it binds for root alone; these are for the service, too. */
const FOLDERS = ['/etc', '/etc/ssl', '/opt', '/opt/thundercloud', NODE_DIR]
const SYSTEM_DIRS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Settings of the kernel, some of them writable for the owner of the namespace that they belong to. */
const KERNEL_DIRS = ['/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi', '/proc/pressure']
/** What programs read to find their libraries, certificates and alternatives; nothing that names people or secrets. */
const SYSTEM_FILES = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/localtime',
]

/** Descriptors that a shim hands to bubblewrap: where bubblewrap reports what it does, and the filter of system calls. */
export const STATUS_FD = 3
export const FILTER_FD = 4
/** and through which it asks for checks and reads their exit codes, where the plan has a check */
export const CHECK_FD = 5
export const CHECKED_FD = 6

export type SandboxInit = {
  /** there is a filter of system calls for this processor, on FILTER_FD */
  readonly filtered: boolean
  readonly bwrap: string
  /** the Node.js binary that services run with */
  readonly node: string
  /** folder with the sandbox's own passwd, group, hosts and nsswitch.conf */
  readonly etcDir: string
  /** the user of the service, when the node is root; undefined: the node's own user, shown as `nobody` */
  readonly uid?: number | undefined
  /** where the sandbox finds what it shows: paths as the shim sees them */
  readonly code: string | undefined
  /** undefined: it is mounted into `root` later */
  readonly work: string | undefined
  readonly tmp: string
  readonly shm: string
  readonly shows: readonly ReadOnlyMount[]
  /** A folder that is its root, in which the code is mounted later; undefined: one of its own. */
  readonly root?: string | undefined
  /** no cgroup counts processes: the kernel's per-user limit does */
  readonly limitPids: boolean
  /** no cgroup limits memory: at least Node's heap is bounded */
  readonly heapMib?: number | undefined
}

/** `hosts`: names that have a loopback address of the sandbox's own, as [name, address]. */
type EtcInit = { readonly uid: number; readonly hosts: readonly (readonly [string, string])[] }

/** The files of `etcDir`. */
export const SANDBOX_ETC = {
  passwd: ({ uid }: EtcInit) => `root:x:0:0::/:/bin/false\nservice:x:${uid}:${uid}::/work:/bin/sh\n`,
  group: ({ uid }: EtcInit) => `root:x:0:\nservice:x:${uid}:\n`,
  hosts: ({ hosts }: EtcInit) =>
    ['127.0.0.1 localhost\n::1 localhost\n', ...hosts.map(([name, address]) => `${address} ${name}\n`)].join(''),
  'nsswitch.conf': () => 'passwd: files\ngroup: files\nhosts: files\n',
}

/**
 * The shim's own sandbox: a network and process namespace in which it is the first process, so that all that runs there
 * ends when it ends, and the file system as it is. The service's sandbox is made inside it and shares its network only.
 * `lowPorts`: the shim may listen at ports below 1024 there.
 */
export function shimArgs(command: readonly string[], { lowPorts = false } = {}): string[] {
  const namespaces = ['--unshare-user', '--unshare-net', '--unshare-pid', '--unshare-ipc', '--as-pid-1']
  const files = ['--dev-bind', '/', '/', '--proc', '/proc', '--chdir', '/']
  const capabilities = lowPorts ? ['--cap-add', 'CAP_NET_BIND_SERVICE'] : []
  return [...namespaces, ...files, ...capabilities, '--json-status-fd', `${STATUS_FD}`, '--', ...command]
}

/** Begins what a shim with a capability starts: bubblewrap refuses to have one, and a service never does. */
export const DROP_CAPABILITIES = ['/usr/bin/setpriv', '--ambient-caps=-all', '--inh-caps=-all', '--'] as const

/** The service's sandbox. */
export function sandboxArgs(plan: Plan, init: SandboxInit): string[] {
  const { etcDir, uid = NOBODY } = init
  const env = Object.entries(environment(plan, init)).map(([name, value]) => `${name}=${value}`)
  return [
    ...['--unshare-user', '--uid', `${uid}`, '--gid', `${uid}`],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'run'],
    ...['--new-session', '--die-with-parent', '--json-status-fd', `${STATUS_FD}`, '--cap-drop', 'ALL'],
    ...(init.filtered ? ['--seccomp', `${FILTER_FD}`] : []),
    '--clearenv',
    ...(init.root === undefined ? [] : ['--bind', init.root, '/']),
    ...['--ro-bind', '/usr', '/usr', ...SYSTEM_DIRS.flatMap(systemDir)],
    ...FOLDERS.flatMap((path) => ['--perms', '0755', '--dir', path]),
    ...SYSTEM_FILES.flatMap((path) => ['--ro-bind-try', path, path]),
    ...Object.keys(SANDBOX_ETC).flatMap((name) => ['--ro-bind', `${etcDir}/${name}`, `/etc/${name}`]),
    ...[
      '--proc',
      '/proc',
      ...KERNEL_DIRS.flatMap((path) => ['--ro-bind-try', path, path]),
      '--dev',
      '/dev',
      '--bind',
      init.shm,
      '/dev/shm',
      '--remount-ro',
      '/dev',
    ],
    ...['--bind', init.tmp, '/tmp'],
    ...(init.work === undefined ? [] : ['--bind', init.work, '/work']),
    ...(init.code === undefined ? [] : [plan.purpose === 'build' ? '--bind' : '--ro-bind', init.code, '/code']),
    ...['--ro-bind', init.node, `${NODE_DIR}/node`],
    ...init.shows.flatMap(shown),
    ...['--remount-ro', '/', '--chdir', plan.workdir === '' ? '/code' : `/code/${plan.workdir}`],
    // What the author says of the environment exists from here on: nothing of ours begins after it.
    ...['--', ...limits(plan, init), '/usr/bin/env', '-i', '--', ...env, ...besideChecks(plan)],
  ]
}

function environment(plan: Plan, { heapMib }: Pick<SandboxInit, 'heapMib'>): Record<string, string> {
  const base = { PATH, HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8' }
  if (heapMib === undefined) return { ...base, ...plan.env }
  const options = [plan.env.NODE_OPTIONS, `--max-old-space-size=${heapMib}`].filter(Boolean).join(' ')
  return { ...base, ...plan.env, NODE_OPTIONS: options }
}

function limits(plan: Plan, { limitPids }: SandboxInit): string[] {
  const pids = limitPids ? [`--nproc=${plan.grant.pids}`] : []
  return ['/usr/bin/prlimit', '--core=0', `--nofile=${MAX_OPEN_FILES}`, ...pids, '--']
}

/** What a shell in the service's sandbox that is there already becomes: the same command in the same folder and environment. */
export function execText(plan: Plan, init: Pick<SandboxInit, 'heapMib'>): string {
  const env = Object.entries(environment(plan, init)).map(([name, value]) => `${name}=${value}`)
  const words = ['/usr/bin/env', '-i', '--', ...env, ...plan.command]
  return `cd ${quoted(`/code/${plan.workdir}`)} && exec ${words.map(quoted).join(' ')}`
}

/**
 * The command, and beside it a shell that waits for seconds on CHECK_FD, gives the plan's check so long, and answers its
 * exit code. It is a child of the sandbox's first process, as orphans are, so that the command does not see it.
 */
const CHECKS = `( (
  while read -r seconds <&${CHECK_FD}; do
    ( eval "exec /usr/bin/timeout -s KILL $seconds $0" ) ${CHECK_FD}<&- ${CHECKED_FD}>&- </dev/null >/dev/null 2>&1
    echo $? >&${CHECKED_FD}
  done
) & )
exec ${CHECK_FD}<&- ${CHECKED_FD}>&-; exec "$@"`

function besideChecks({ command, check }: Plan): readonly string[] {
  if (check === undefined) return command
  return ['/bin/sh', '-c', CHECKS, check.map(quoted).join(' '), ...command]
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** The folders above it are for the service, too. */
function shown({ path, as }: ReadOnlyMount): string[] {
  const above: string[] = []
  for (let dir = dirname(as); dir !== '/'; dir = dirname(dir)) above.unshift(dir)
  return [...above.flatMap((dir) => ['--perms', '0755', '--dir', dir]), '--ro-bind', path, as]
}

/** Where /bin is a link to /usr/bin it is one in the sandbox, too. */
function systemDir(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  return found.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
}

/** A sandbox shows /usr, where these are on every distribution; by the package that has them. */
export const SANDBOX_TOOLS: Readonly<Record<string, readonly string[]>> = {
  'util-linux': ['/usr/bin/prlimit', '/usr/bin/setpriv'],
  coreutils: ['/usr/bin/env', '/usr/bin/timeout'],
  dash: ['/bin/sh'],
}

/** Joins control groups, then becomes the command: everything that it starts is in them from its first instruction. */
export function inCgroups(joinFiles: readonly string[], command: readonly string[]): string[] {
  if (joinFiles.length === 0) return [...command]
  const script = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'
  return ['/bin/sh', '-c', script, 'sh', ...joinFiles, '--', ...command]
}
