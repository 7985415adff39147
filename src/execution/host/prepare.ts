import { chmod, chown, lchown, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { HELPER_HEAP_MIB, inodesFor } from '../constants.ts'
import { egressListeners } from '../egress-targets.ts'
import { RunRefusedError } from '../errors.ts'
import { limitsOf } from '../logs/limits.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Plan } from '../types.ts'
import { shimArgs } from './bubblewrap.ts'
import type { CgroupRoots, Controller } from './cgroup-roots.ts'
import { createCgroup } from './cgroups.ts'
import type { WatchedDisk } from './disk-limit.ts'
import { permissionCommand, permissionEnv } from './permission-model.ts'
import type { HostHandle } from './run.ts'
import { type BuildFolders, type RunFiles, runFiles, type ShimSpec, writeJson } from './run-files.ts'
import { type SandboxPaths, sandboxMounts } from './sandbox-mounts.ts'
import type { Sandbox } from './sandbox-probe.ts'
import { mountTable, sandboxRootCommand } from './sandbox-root.ts'
import { serviceSandboxCommand, writeSandboxFiles } from './service-sandbox.ts'

/** Ports below need a capability. */
const FIRST_FREE_PORT = 1024

export type PrepareInit = {
  readonly plan: Plan
  readonly handle: HostHandle
  readonly sandbox: Sandbox
  readonly groups: CgroupRoots
  readonly groupName: string
  /** the run's user, where the node is root */
  readonly uid: number | undefined
  readonly node: string
  readonly ownAddress: string
  readonly logs: LogLimits
  /** see `Run.start` */
  readonly start: string | undefined
}

/** Writes the files of a run, and answers the command that starts its shim. */
export async function prepareRun(init: PrepareInit): Promise<{ program: string; args: string[] }> {
  const { handle, sandbox, groups, uid, node } = init
  const files = runFiles(handle.dir)
  const plan = await withFiles(init.plan, files)
  const sandboxed = 'bwrap' in sandbox
  // without a network namespace its gateway would be open to the whole machine
  if (plan.egress !== undefined && !sandboxed)
    throw new RunRefusedError('a way out needs a sandbox: install bubblewrap')
  if (plan.check !== undefined && !sandboxed)
    throw new RunRefusedError('a check by a command (run.check.command) needs a sandbox: install bubblewrap')
  if (plan.outputs !== undefined && !sandboxed)
    throw new RunRefusedError('what a task leaves (run.outputs) is kept in a sandbox only: install bubblewrap')
  const listeners = plan.egress === undefined ? [] : egressListeners(plan.egress, plan.ports)
  const lowPorts = listeners.some(({ port }) => port < FIRST_FREE_PORT)
  const has = (controller: Controller) => sandboxed && groups.roots[controller] !== undefined
  await mkdir(plan.logDir, { recursive: true, mode: 0o700 })
  await writeFile(files.status, '', { mode: 0o600 })
  if (plan.codeDir !== undefined) await makeVisible(plan.codeDir)
  const entry = entryFile(import.meta.url, './shim-main')
  const { paths, mounts } = sandboxMounts({ plan, files, node, entry, sandboxed, uid })
  const permission = sandboxed
    ? undefined
    : permissionCommand(plan, {
        node: paths.node,
        workDir: paths.work,
        codeDir: paths.code,
        ownAddress: init.ownAddress,
      })
  const group = sandboxed
    ? await createCgroup(groups, init.groupName, plan.grant, uid)
    : { version: groups.version, dirs: {}, shim: [] }
  const { shim: shimGroups, ...cgroup } = group
  let command = permission ?? []
  if (sandboxed) {
    const { bwrap } = sandbox
    const service = { plan, files, paths, bwrap, groups, cgroup, uid, listeners, dropsCapabilities: lowPorts }
    await writeSandboxFiles(service)
    command = serviceSandboxCommand(service)
  } else if (paths.sandboxRoot === undefined) await mkdir(files.work, { recursive: true, mode: 0o700 })
  const { service, purpose, ports, lifetime, grant } = plan
  const folders = buildFolders(plan, paths, sandboxed)
  const spec = {
    ...{ runId: plan.runId, service, purpose, ports, command, sandboxed, cgroup, lifetime },
    ...(init.plan.readOnlyMounts === undefined || purpose === 'build' ? {} : { kind: 'scanner' as const }),
    ...(plan.egress === undefined ? {} : { egress: { listeners, proxyPort: plan.egress.proxyPort } }),
    ...(plan.check === undefined ? {} : { checks: true }),
    ...(folders === undefined ? {} : { build: folders }),
    ...(init.start === undefined ? {} : { start: init.start }),
    ...(plan.outputs === undefined ? {} : { outputs: { ...plan.outputs, work: paths.work } }),
    logDir: paths.log,
    socket: handle.socket,
    listen: 's',
    ...(paths.sandboxRoot === undefined ? { watchDisk: watchedDisk(plan, paths) } : { disk: paths.work }),
    env: sandboxed ? {} : permissionEnv(plan, paths.work),
    cwd: sandboxed ? '/' : join(paths.code ?? '/', plan.workdir),
    watchMemory: has('memory') ? null : grant.memoryBytes,
    logLimits: limitsOf('run', init.logs, grant.diskBytes),
  } satisfies ShimSpec
  // a machine that goes down takes the run with it, whatever its folder says
  await writeJson(files.plan, spec, { durable: false })
  await symlink(files.listen, handle.socket)
  if (uid !== undefined) await giveTo(uid, files.dir, plan.logDir)
  if (uid !== undefined && plan.purpose === 'build' && plan.codeDir !== undefined) await giveAll(uid, plan.codeDir)

  const flags = [`--max-old-space-size=${HELPER_HEAP_MIB}`, ...entryFlags(import.meta.url)]
  const shim = [paths.node, ...flags, paths.entry, paths.run]
  const wrapped = sandboxed ? [sandbox.bwrap, ...shimArgs(shim, { lowPorts })] : shim
  if (paths.sandboxRoot === undefined) return { program: shim[0] as string, args: shim.slice(1) }
  await mkdir(paths.sandboxRoot, { recursive: true, mode: 0o755 })
  await writeFile(files.table, mountTable(mounts), { mode: 0o600 })
  return sandboxRootCommand({ root: paths.sandboxRoot, mounts, table: files.table, join: shimGroups, uid }, wrapped)
}

/** Its files, in a folder that goes with the run. */
async function withFiles(plan: Plan, { given }: RunFiles): Promise<Plan> {
  const texts = Object.entries(plan.files ?? {})
  if (texts.length === 0) return plan
  await mkdir(given, { mode: 0o755 })
  const shown = texts.map(([as], index) => ({ path: join(given, `${index}`), as }))
  for (const [index, [, text]] of texts.entries()) await writeFile(join(given, `${index}`), text, { mode: 0o644 })
  return { ...plan, readOnlyMounts: [...(plan.readOnlyMounts ?? []), ...shown] }
}

function buildFolders(
  { grant }: Plan,
  { source, disk, code, work, tmp }: SandboxPaths,
  sandboxed: boolean,
): BuildFolders | undefined {
  if (source === undefined || disk === undefined || code === undefined) return undefined
  const scratch = sandboxed ? [work, tmp] : [work]
  return { source, disk, code, scratch, bytes: grant.diskBytes, inodes: inodesFor(grant.diskBytes) }
}

/** Where nothing can be mounted: each folder that the run may write to. */
function watchedDisk({ purpose, grant }: Plan, { work, code }: SandboxPaths): WatchedDisk {
  const dirs = purpose === 'build' && code !== undefined ? [work, code] : [work]
  return { dirs, bytes: grant.diskBytes, inodes: inodesFor(grant.diskBytes) }
}

/** The shim is the run's user: what it writes is its own. */
export async function giveTo(uid: number, runDir: string, logDir?: string): Promise<void> {
  const own = async (dir: string, isTheirs: (name: string) => boolean) => {
    const names = (await readdir(dir)).filter(isTheirs)
    await Promise.all([chown(dir, uid, uid), ...names.map((name) => lchown(join(dir, name), uid, uid))])
  }
  const isOutput = (name: string) => name.startsWith('run.log')
  await Promise.all([own(runDir, () => true), logDir === undefined ? undefined : own(logDir, isOutput)])
}

/** A build's copy of its code is its own. Links are not followed. */
async function giveAll(uid: number, dir: string): Promise<void> {
  await chown(dir, uid, uid)
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await giveAll(uid, path)
    else await lchown(path, uid, uid)
  }
}

/** Services run as another user: the unpacked folder's top, made by mkdtemp perhaps, must let them in. */
export async function makeVisible(dir: string): Promise<void> {
  const { mode } = await stat(dir)
  if ((mode & 0o055) !== 0o055) await chmod(dir, mode | 0o055)
}
