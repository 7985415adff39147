import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NOBODY } from '../constants.ts'
import { type EgressListener, hostsEntries } from '../egress-targets.ts'
import type { Plan } from '../types.ts'
import { DROP_CAPABILITIES, execText, inCgroups, SANDBOX_ETC, sandboxArgs } from './bubblewrap.ts'
import type { CgroupRoots, Controller } from './cgroup-roots.ts'
import { joinFiles, type RunCgroup } from './cgroups.ts'
import { type RunFiles, runFiles } from './run-files.ts'
import type { SandboxPaths } from './sandbox-mounts.ts'
import { seccompFilter } from './seccomp.ts'

export type ServiceSandboxInit = {
  readonly plan: Plan
  readonly files: RunFiles
  readonly paths: Omit<SandboxPaths, 'work'> & { readonly work: string | undefined }
  readonly bwrap: string
  readonly groups: CgroupRoots
  readonly cgroup: RunCgroup
  /** the run's user, where the node is root */
  readonly uid: number | undefined
  readonly listeners: readonly EgressListener[]
  /** its shim has a capability, which the service never has */
  readonly dropsCapabilities: boolean
  /** A folder that is its root, where something is mounted later; undefined: one of its own. */
  readonly root?: string | undefined
}

/** Writes what the service's sandbox shows. */
export async function writeSandboxFiles({
  files,
  groups,
  uid,
  listeners,
}: Pick<ServiceSandboxInit, 'files' | 'groups' | 'uid' | 'listeners'>): Promise<void> {
  await mkdir(files.etc, { recursive: true, mode: 0o755 })
  const about = { uid: uid ?? NOBODY, hosts: hostsEntries(listeners) }
  const filter = seccompFilter({ counted: isLimited(groups, 'memory') })
  await Promise.all([
    ...Object.entries(SANDBOX_ETC).map(([name, text]) => writeFile(join(files.etc, name), text(about))),
    filter === undefined ? undefined : writeFile(files.filter, filter),
  ])
}

/** In place: what is mounted in a sandbox that is there is this very file. */
export async function rewriteHosts(
  { etc }: RunFiles,
  uid: number,
  listeners: readonly EgressListener[],
): Promise<void> {
  await writeFile(join(etc, 'hosts'), SANDBOX_ETC.hosts({ uid, hosts: hostsEntries(listeners) }))
}

/** The command that makes the service's sandbox and runs the service in it. */
export function serviceSandboxCommand(init: ServiceSandboxInit): string[] {
  const { plan, files, paths, groups, uid, root } = init
  const heapMib = heapOf(plan, groups)
  const { code, work, tmp, shm, shows, node } = paths
  const sandbox = sandboxArgs(plan, {
    ...{ bwrap: init.bwrap, node, etcDir: runFiles(paths.run).etc, code, work, tmp, shm, shows, root },
    ...{ uid, limitPids: !isLimited(groups, 'pids'), heapMib, filtered: existsSync(files.filter) },
  })
  const dropping = init.dropsCapabilities ? DROP_CAPABILITIES : []
  return inCgroups(joinFiles(init.cgroup), [...dropping, init.bwrap, ...sandbox])
}

/** What a shell that waits in such a sandbox gets, in order to become the service. */
export function serviceSandboxText(plan: Plan, groups: CgroupRoots): string {
  return execText(plan, { heapMib: heapOf(plan, groups) })
}

function heapOf({ grant }: Plan, groups: CgroupRoots): number | undefined {
  return isLimited(groups, 'memory') ? undefined : Math.max(16, Math.floor((grant.memoryBytes / 2 ** 20) * 0.75))
}

function isLimited({ roots }: CgroupRoots, controller: Controller): boolean {
  return roots[controller] !== undefined
}
