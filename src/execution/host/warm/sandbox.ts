import { once } from 'node:events'
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { entryFile, entryFlags } from '../../../base/child-entry.ts'
import { type Clock, deadline } from '../../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../../base/errors.ts'
import { startProcess } from '../../../process/index.ts'
import { HELPER_HEAP_MIB } from '../../constants.ts'
import { readLine } from '../../gateway/server.ts'
import type { Plan, WarmClass } from '../../types.ts'
import { createMounter } from '../../warm/mounter.ts'
import { shimArgs } from '../bubblewrap.ts'
import type { CgroupRoots } from '../cgroup-roots.ts'
import { createCgroup } from '../cgroups.ts'
import { giveTo } from '../prepare.ts'
import { type RunFiles, runFiles, writeJson } from '../run-files.ts'
import { mountTable, SANDBOX_ROOT, sandboxRootCommand } from '../sandbox-root.ts'
import { serviceSandboxCommand, writeSandboxFiles } from '../service-sandbox.ts'
import type { ShimCommand } from '../shim-command.ts'
import { BOOTSTRAP_FILE, SHELL_BOOTSTRAP } from './bootstrap.ts'
import { ORDER_FD } from './idle-shim.ts'
import { idleMounts, SERVICE_ROOT, warmPaths } from './mounts.ts'
import type { WarmSandbox } from './types.ts'

/** From its start to its readiness: two Node.js one after the other start in 150 ms on an idle machine. */
const READY_MS = 30_000
export type WarmSandboxInit = {
  readonly id: string
  readonly dir: string
  readonly warmClass: WarmClass | undefined
  readonly bwrap: string
  readonly groups: CgroupRoots
  readonly groupName: string
  readonly uid: number
  /** the Node.js that services run with */
  readonly node: string
}

/** Makes a sandbox that waits for a run: its shim, with the gateway, and the service's Node.js where it is for a class. */
export async function createWarmSandbox(clock: Clock, init: WarmSandboxInit): Promise<WarmSandbox> {
  const { id, dir, warmClass, groups, uid, node } = init
  const files = runFiles(dir)
  const entry = entryFile(import.meta.url, '../shim-main')
  const paths = warmPaths({ entry })
  const mounts = idleMounts({ dir, node, entry, uid, warmClass })
  await mkdir(dir, { recursive: true, mode: 0o711 })
  const version = await versionOf(node)
  const limits = warmClass === undefined ? {} : { memoryBytes: warmClass.memoryBytes, pids: warmClass.pids }
  const { shim: join, ...cgroup } = await createCgroup(groups, init.groupName, limits, uid)
  await Promise.all([
    writeFile(files.status, '', { mode: 0o600 }),
    writeFile(files.table, mountTable(mounts), { mode: 0o600 }),
    writeSandboxFiles({ files, groups, uid, listeners: [] }),
    mkdir(SANDBOX_ROOT, { recursive: true, mode: 0o755 }),
  ])
  // without a control group, the kernel's limit per user is part of what makes the sandbox
  const hasServiceSandbox = groups.roots.pids !== undefined
  if (hasServiceSandbox) await writeIdle(init, { files, cgroup, paths })
  await giveTo(uid, dir)
  const flags = [`--max-old-space-size=${HELPER_HEAP_MIB}`, ...entryFlags(import.meta.url)]
  const shim = shimArgs([paths.node, ...flags, paths.entry, paths.run, 'warm'], { lowPorts: true })
  const sandbox = { root: SANDBOX_ROOT, mounts, table: files.table, join, uid, shared: true }
  const { pid, order } = await launch(files, sandboxRootCommand(sandbox, [init.bwrap, ...shim]))
  try {
    using limit = deadline(clock, READY_MS, new TimeoutError('a sandbox is not ready in time'))
    limit.signal.addEventListener('abort', () => order.destroy(), { once: true })
    if ((await readLine(order).catch(() => undefined)) !== 'ready') throw new UnavailableError(await problemOf(files))
  } catch (error) {
    order.destroy()
    throw error
  }
  // read on, or its end would not be seen
  const answer = readLine(order)
  answer.catch(() => {})
  const { mount, leave } = createMounter(clock, { namespaceOf: pid })
  const end = () => {
    leave()
    order.destroy()
  }
  return { id, dir, uid, cgroup, paths, warmClass, hasServiceSandbox, version, order, answer, mount, end }
}

/** The command that waits in the service's own sandbox, and what it shows. */
async function writeIdle(
  { warmClass, bwrap, groups, uid }: WarmSandboxInit,
  { files, cgroup, paths }: { files: RunFiles } & Pick<WarmSandbox, 'cgroup' | 'paths'>,
): Promise<void> {
  // what of a grant its command holds is held by control groups
  const nothing = { memoryBytes: 0, diskBytes: 0, pids: 0, cpuMillicores: 0 }
  const grant = { ...nothing, executor: 'host', network: { mode: 'none' } } as const
  const plan: Plan = {
    ...{ runId: '', service: '', author: '', purpose: 'run', grant, env: {}, workdir: '', ports: [], toolchain: [] },
    command: warmClass === undefined ? ['/bin/sh', '-c', SHELL_BOOTSTRAP] : ['node', BOOTSTRAP_FILE],
    logDir: '',
  }
  // the code is mounted into its root, and what it may write to, where it is not known how much
  const seen = { ...paths, code: undefined, work: warmClass === undefined ? undefined : paths.work }
  const sandbox = { bwrap, groups, cgroup, uid, listeners: [], dropsCapabilities: true, root: SERVICE_ROOT }
  const command = serviceSandboxCommand({ ...sandbox, plan, files, paths: seen })
  const waits = warmClass === undefined ? 'shell' : 'node'
  const spec: ShimCommand = { command, sandboxed: true, purpose: 'run', env: {}, cwd: '/', bootstrap: waits }
  await writeJson(files.idle, spec, { durable: false })
}

async function problemOf({ stderr }: RunFiles): Promise<string> {
  const problem = (await readFile(stderr, 'utf8').catch(() => '')).trim().slice(-300)
  return `its shim ended: ${problem || 'no reason given'}`
}

async function launch(
  files: RunFiles,
  shim: { program: string; args: string[] },
): Promise<{ pid: number; order: WarmSandbox['order'] }> {
  const stderrFile = await open(files.stderr, 'a', 0o600)
  const status = await open(files.status, 'a', 0o600)
  try {
    const stdio = ['ignore', stderrFile.fd, stderrFile.fd, status.fd, 'pipe'] as const
    const child = startProcess({ kind: 'shim', ...shim }, { detached: true, stdio })
    await once(child, 'spawn')
    child.on('error', () => {}).unref()
    const order = child.stdio[ORDER_FD] as unknown as Duplex
    order.on('error', () => {})
    return { pid: child.pid as number, order }
  } finally {
    await Promise.all([stderrFile.close(), status.close()])
  }
}

/** Another file is another Node.js, although its name is the same. */
export async function versionOf(program: string): Promise<string> {
  const { dev, ino, size, mtimeMs } = await stat(program)
  return [dev, ino, size, mtimeMs].join(' ')
}
