import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { type Clock, deadline } from '../../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../../base/errors.ts'
import { egressListeners } from '../../egress-targets.ts'
import { limitsOf } from '../../logs/limits.ts'
import type { LogLimits } from '../../logs/writer.ts'
import type { Plan } from '../../types.ts'
import { messageFor } from '../../warm/bootstrap.ts'
import type { WarmProgram } from '../../warm/types.ts'
import type { CgroupRoots } from '../cgroup-roots.ts'
import { limitCgroup } from '../cgroups.ts'
import { giveTo, makeVisible } from '../prepare.ts'
import type { HostHandle } from '../run.ts'
import { runFiles, type ShimSpec, writeJson } from '../run-files.ts'
import { mountTable } from '../sandbox-root.ts'
import { rewriteHosts, serviceSandboxCommand, serviceSandboxText } from '../service-sandbox.ts'
import { runMounts } from './mounts.ts'
import type { WarmSandbox } from './types.ts'

/** From the order to the report of the shim. */
const BEGIN_MS = 30_000

export type BeginInit = {
  readonly plan: Plan & { readonly codeDir: string }
  readonly handle: HostHandle
  /** for the Node.js of the sandbox, where it has one */
  readonly program: WarmProgram | undefined
  /** see `Run.start` */
  readonly start: string
  readonly bwrap: string
  readonly groups: CgroupRoots
  readonly logs: LogLimits
}

/** Makes the warm sandbox the run's: from the moment that this calls `onOrder` on, the command may have begun. */
export async function beginWarm(clock: Clock, warm: WarmSandbox, init: BeginInit, onOrder: () => void): Promise<void> {
  const { plan, handle } = init
  const idle = runFiles(warm.dir)
  const { memoryBytes, cpuMillicores, pids, diskBytes } = plan.grant
  // a check waits beside the command, in a sandbox that has the pipes for it
  const fresh = !warm.hasServiceSandbox || plan.check !== undefined
  const mounts = mountTable(runMounts(warm, { ...plan, diskBytes, fresh }))
  await Promise.all([
    mkdir(plan.logDir, { recursive: true, mode: 0o700 }),
    makeVisible(plan.codeDir),
    writeFile(idle.table, mounts, { mode: 0o600 }),
  ])
  // the plan is there before the folder has the run's name: a folder of a run without one would be of nobody
  await Promise.all([
    warm.mount(idle.table),
    writePlan(warm, init, fresh).then(() => giveTo(warm.uid, warm.dir, plan.logDir)),
    // what the Node.js of the sandbox has seen of its memory stays as it is
    limitCgroup(warm.cgroup, warm.warmClass === undefined ? { memoryBytes, cpuMillicores, pids } : { cpuMillicores }),
  ])
  await rename(warm.dir, handle.dir)
  await symlink(runFiles(handle.dir).listen, handle.socket)
  using limit = deadline(clock, BEGIN_MS, new TimeoutError('a warm sandbox does not answer'))
  limit.signal.addEventListener('abort', () => warm.order.destroy(), { once: true })
  onOrder()
  warm.order.write('begin\n')
  const answer = await warm.answer.catch(() => undefined)
  warm.order.destroy()
  if (answer !== 'begun') throw new UnavailableError('a warm sandbox has ended')
}

async function writePlan(warm: WarmSandbox, init: BeginInit, fresh: boolean): Promise<void> {
  const { plan, handle, program, start, bwrap, groups, logs } = init
  const files = runFiles(warm.dir)
  const { paths } = warm
  const listeners = plan.egress === undefined ? [] : egressListeners(plan.egress, plan.ports)
  const sandbox = { plan, files, paths, bwrap, groups, cgroup: warm.cgroup, uid: warm.uid, listeners }
  if (plan.egress !== undefined) await rewriteHosts(files, warm.uid, listeners)
  const command = fresh ? serviceSandboxCommand({ ...sandbox, dropsCapabilities: true }) : []
  const text = program === undefined ? serviceSandboxText(plan, groups) : messageFor(program)
  const { runId, service, purpose, ports, lifetime, grant } = plan
  const spec = {
    ...{ runId, service, purpose, ports, command, lifetime, sandboxed: true, cgroup: warm.cgroup, warmId: warm.id },
    ...(plan.egress === undefined ? {} : { egress: { listeners, proxyPort: plan.egress.proxyPort } }),
    ...(plan.check === undefined ? {} : { checks: true }),
    ...(plan.outputs === undefined ? {} : { outputs: { ...plan.outputs, work: paths.work } }),
    ...{ logDir: paths.log, socket: handle.socket, listen: 's', env: {}, cwd: '/', start },
    ...(fresh ? {} : { message: text }),
    disk: paths.work,
    watchMemory: groups.roots.memory === undefined ? grant.memoryBytes : null,
    logLimits: limitsOf('run', logs, grant.diskBytes),
  } satisfies ShimSpec
  await writeJson(files.plan, spec, { durable: false })
}
