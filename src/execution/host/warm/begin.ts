import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { type Clock, deadline } from '../../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../../base/errors.ts'
import { egressListeners } from '../../egress-targets.ts'
import { limitsOf } from '../../logs/limits.ts'
import type { LogLimits } from '../../logs/writer.ts'
import type { Plan } from '../../types.ts'
import type { CgroupRoots } from '../cgroup-roots.ts'
import { limitCgroup } from '../cgroups.ts'
import { giveTo, makeVisible } from '../prepare.ts'
import type { HostHandle } from '../run.ts'
import { runFiles, type ShimSpec, writeJson } from '../run-files.ts'
import { mountTable } from '../sandbox-root.ts'
import { rewriteHosts, serviceBoxCommand, serviceBoxText } from '../service-box.ts'
import { messageFor } from './parked-program.ts'
import { runMounts } from './slot-mounts.ts'
import type { ParkedProgram, Slot } from './types.ts'

/** From the order to the report of the shim. */
const BEGIN_MS = 30_000

export type BeginInit = {
  readonly plan: Plan & { readonly codeDir: string }
  readonly handle: HostHandle
  /** for the Node.js of the slot, where it has one */
  readonly program: ParkedProgram | undefined
  /** see `Run.start` */
  readonly start: string
  readonly bwrap: string
  readonly groups: CgroupRoots
  readonly logs: LogLimits
}

/** Makes the slot the run's: from the moment that this calls `onOrder` on, the command may have begun. */
export async function beginInSlot(clock: Clock, slot: Slot, init: BeginInit, onOrder: () => void): Promise<void> {
  const { plan, handle } = init
  const parked = runFiles(slot.dir)
  const { memoryBytes, cpuMillicores, pids, diskBytes } = plan.grant
  // a check waits beside the command, in a box that has the pipes for it
  const fresh = !slot.hasBox || plan.check !== undefined
  const mounts = mountTable(runMounts(slot, { ...plan, diskBytes, fresh }))
  await Promise.all([
    mkdir(plan.logDir, { recursive: true, mode: 0o700 }),
    makeVisible(plan.codeDir),
    writeFile(parked.table, mounts, { mode: 0o600 }),
  ])
  // the plan is there before the folder has the run's name: a folder of a run without one would be of nobody
  await Promise.all([
    slot.mount(parked.table),
    writePlan(slot, init, fresh).then(() => giveTo(slot.uid, slot.dir, plan.logDir)),
    // what the Node.js of the slot has seen of its memory stays as it is
    limitCgroup(slot.cgroup, slot.parked === undefined ? { memoryBytes, cpuMillicores, pids } : { cpuMillicores }),
  ])
  await rename(slot.dir, handle.dir)
  await symlink(runFiles(handle.dir).listen, handle.socket)
  using limit = deadline(clock, BEGIN_MS, new TimeoutError('a sandbox that was ready does not answer'))
  limit.signal.addEventListener('abort', () => slot.order.destroy(), { once: true })
  onOrder()
  slot.order.write('begin\n')
  const answer = await slot.answer.catch(() => undefined)
  slot.order.destroy()
  if (answer !== 'begun') throw new UnavailableError('a sandbox that was ready has ended')
}

async function writePlan(slot: Slot, init: BeginInit, fresh: boolean): Promise<void> {
  const { plan, handle, program, start, bwrap, groups, logs } = init
  const files = runFiles(slot.dir)
  const { paths } = slot
  const listeners = plan.egress === undefined ? [] : egressListeners(plan.egress, plan.ports)
  const box = { plan, files, paths, bwrap, groups, cgroup: slot.cgroup, uid: slot.uid, listeners }
  if (plan.egress !== undefined) await rewriteHosts(files, slot.uid, listeners)
  const command = fresh ? serviceBoxCommand({ ...box, dropsCapabilities: true }) : []
  const text = program === undefined ? serviceBoxText(plan, groups) : messageFor(program)
  const { runId, service, purpose, ports, lifetime, grant } = plan
  const spec = {
    ...{ runId, service, purpose, ports, command, lifetime, sandboxed: true, cgroup: slot.cgroup, slot: slot.id },
    ...(plan.egress === undefined ? {} : { egress: { listeners, proxyPort: plan.egress.proxyPort } }),
    ...(plan.check === undefined ? {} : { checks: true }),
    ...(plan.outputs === undefined ? {} : { outputs: { ...plan.outputs, work: paths.work } }),
    ...{ logDir: paths.log, socket: handle.socket, listen: 's', env: {}, cwd: '/', start },
    ...(fresh ? {} : { message: text }),
    watchMemory: groups.roots.memory === undefined ? grant.memoryBytes : null,
    logLimits: limitsOf('run', logs, grant.diskBytes),
  } satisfies ShimSpec
  await writeJson(files.plan, spec, { durable: false })
}
