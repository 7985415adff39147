import { lstatSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { MAX_OPEN_FILES, NOBODY, TMP_BYTES } from '../constants.ts'
import type { Plan, Shown } from '../contract.ts'

/** Where the node's own Node.js is seen in a sandbox. */
const NODE_DIR = '/opt/thundercloud/bin'
const SHM_BYTES = 16 * 1024 * 1024
const PATH = `${NODE_DIR}:/usr/local/bin:/usr/bin:/bin`
/** bubblewrap makes the folders above what it binds for root alone; these are for the service, too. */
const FOLDERS = ['/etc', '/etc/ssl', '/opt', '/opt/thundercloud', NODE_DIR]
const SYSTEM_DIRS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** What programs read to find their libraries, certificates and alternatives; nothing that names people or secrets. */
const SYSTEM_FILES = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/localtime',
]

/** Descriptors that a keeper hands to bubblewrap: where it tells what it does, and the filter of system calls. */
export const STATUS_FD = 3
export const FILTER_FD = 4

export type SandboxInit = {
  /** there is a filter of system calls for this processor, on FILTER_FD */
  readonly filtered: boolean
  readonly bwrap: string
  /** the Node.js binary that services run with */
  readonly node: string
  /** folder with the sandbox's own passwd, group, hosts and nsswitch.conf */
  readonly etcDir: string
  /** who the service is, when the node is root; undefined: the node's own user, in a user namespace */
  readonly uid?: number | undefined
  /** no cgroup counts processes: the kernel's per-user limit does */
  readonly limitPids: boolean
  /** no cgroup limits memory: at least Node's heap is bounded */
  readonly heapMib?: number | undefined
}

/** The files of `etcDir`. */
export const SANDBOX_ETC = {
  passwd: (uid: number) => `root:x:0:0::/:/bin/false\nservice:x:${uid}:${uid}::/work:/bin/sh\n`,
  group: (uid: number) => `root:x:0:\nservice:x:${uid}:\n`,
  hosts: () => '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': () => 'passwd: files\ngroup: files\nhosts: files\n',
}

/**
 * The keeper's own box: a network and process namespace in which it is the first process, so that all that runs there
 * ends when it ends, and the file system as it is. The service's box is made inside it and shares its network only.
 */
export function keeperArgs({ uid }: Pick<SandboxInit, 'uid'>, command: readonly string[]): string[] {
  const user = uid === undefined ? ['--unshare-user'] : []
  const namespaces = ['--unshare-net', '--unshare-pid', '--unshare-ipc', '--as-pid-1']
  const files = ['--dev-bind', '/', '/', '--proc', '/proc', '--chdir', '/']
  return [...user, ...namespaces, ...files, '--json-status-fd', `${STATUS_FD}`, '--', ...command]
}

/** The service's box. */
export function sandboxArgs(plan: Plan, init: SandboxInit): string[] {
  const { uid, etcDir } = init
  const user = uid === undefined ? ['--unshare-user', '--uid', `${NOBODY}`, '--gid', `${NOBODY}`] : []
  // The last three let setpriv change the user and then give everything up, these included.
  const caps =
    uid === undefined ? [] : ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP']
  const tmpfs = (bytes: number, mode: string, path: string) => [
    '--perms',
    mode,
    '--size',
    `${Math.max(4096, bytes)}`,
    '--tmpfs',
    path,
  ]
  const env = Object.entries(environment(plan, init)).flatMap(([name, value]) => ['--setenv', name, value])
  return [
    ...user,
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'run'],
    ...['--new-session', '--die-with-parent', '--json-status-fd', `${STATUS_FD}`, '--cap-drop', 'ALL', ...caps],
    ...(init.filtered ? ['--seccomp', `${FILTER_FD}`] : []),
    ...['--clearenv', ...env],
    ...['--ro-bind', '/usr', '/usr', ...SYSTEM_DIRS.flatMap(systemDir)],
    ...FOLDERS.flatMap((path) => ['--perms', '0755', '--dir', path]),
    ...SYSTEM_FILES.flatMap((path) => ['--ro-bind-try', path, path]),
    ...Object.keys(SANDBOX_ETC).flatMap((name) => ['--ro-bind', `${etcDir}/${name}`, `/etc/${name}`]),
    ...['--proc', '/proc', '--dev', '/dev', ...tmpfs(SHM_BYTES, '1777', '/dev/shm'), '--remount-ro', '/dev'],
    ...tmpfs(TMP_BYTES, '1777', '/tmp'),
    ...tmpfs(plan.grant.diskBytes, '0777', '/work'),
    ...(plan.codeDir === undefined ? [] : [plan.purpose === 'build' ? '--bind' : '--ro-bind', plan.codeDir, '/code']),
    ...['--ro-bind', init.node, `${NODE_DIR}/node`],
    ...(plan.shows ?? []).flatMap(shown),
    ...['--remount-ro', '/', '--chdir', plan.workdir === '' ? '/code' : `/code/${plan.workdir}`],
    ...['--', ...privileges(uid), ...limits(plan, init), ...plan.command],
  ]
}

function environment(plan: Plan, { heapMib }: SandboxInit): Record<string, string> {
  const base = { PATH, HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8' }
  if (heapMib === undefined) return { ...base, ...plan.env }
  const options = [plan.env.NODE_OPTIONS, `--max-old-space-size=${heapMib}`].filter(Boolean).join(' ')
  return { ...base, ...plan.env, NODE_OPTIONS: options }
}

function privileges(uid: number | undefined): string[] {
  if (uid === undefined) return []
  const ids = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']
  return ['/usr/bin/setpriv', ...ids, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--']
}

function limits(plan: Plan, { limitPids }: SandboxInit): string[] {
  const pids = limitPids ? [`--nproc=${plan.grant.pids}`] : []
  return ['/usr/bin/prlimit', '--core=0', `--nofile=${MAX_OPEN_FILES}`, ...pids, '--']
}

/** The folders above it are for the service, too. */
function shown({ path, as }: Shown): string[] {
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

/** A sandbox shows /usr, where setpriv and prlimit (util-linux) are on every distribution. */
export const SANDBOX_TOOLS = ['/usr/bin/setpriv', '/usr/bin/prlimit', '/bin/sh'] as const

/** Joins control groups, then becomes the command: everything that it starts is in them from its first instruction. */
export function inCgroups(joinFiles: readonly string[], command: readonly string[]): string[] {
  if (joinFiles.length === 0) return [...command]
  const script = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'
  return ['/bin/sh', '-c', script, 'sh', ...joinFiles, '--', ...command]
}
