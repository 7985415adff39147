import { readFileSync, renameSync, rmSync } from 'node:fs'
import { rm, statfs, writeFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { type Clock, systemClock } from '../../base/clock.ts'
import { errnoOf } from '../../base/errors.ts'
import { bootId, identify, statFields } from '../../base/os/process-identity.ts'
import { overDiskText } from '../build-limit.ts'
import { EXPIRY_LOOK_MS, MEMORY_WATCH_MS } from '../constants.ts'
import { startGatewayServer } from '../gateway/server.ts'
import { createTrafficMeter } from '../gateway/traffic.ts'
import { formatLine } from '../logs/format.ts'
import { createLogWriter, pumpOutput } from '../logs/writer.ts'
import type { EndReason, PlanLifetime, RunEnd, RunStats } from '../types.ts'
import { CHECK_FD, CHECKED_FD } from './bubblewrap.ts'
import type { DiskWatch } from './build-disk.ts'
import { cgroupStats, oomKills } from './cgroups.ts'
import type { OutputFolders } from './outputs/shim-outputs.ts'
import { childrenCpuMs, cpuMsOf, memoryOf, type RunProcess, runProcesses } from './processes.ts'
import { type RunFiles, runFiles, type ShimIdentity, type ShimSpec, writeJson } from './run-files.ts'
import { type StartedCommand, startCommand } from './shim-command.ts'

/**
 * Runs the command of a plan to its end: reads its output into bounded files, opens the gateway to its ports, stops it when
 * asked, and writes down how it ended. It is the first process of the run's own process and network namespace, unless
 * something else begins the command: `begin`.
 */
export async function runShim(dir: string, { warm = false, begin: beginOther }: ShimInit = {}): Promise<void> {
  const clock = systemClock()
  process.chdir(dir)
  const files = runFiles(dir)
  await writeIdentity(files, clock)
  const order = warm ? await (await import('./warm/idle-shim.ts')).waitForOrder(files, clock) : undefined
  if (warm && order === undefined) return
  const plan = takePlan(files)
  if (plan === undefined) return
  if (!plan.sandboxed) await writeFile(files.status, `{ "child-pid": ${process.pid} }\n`)

  const writer = createLogWriter(plan.logDir, 'run', plan.logLimits)
  const finished = Promise.withResolvers<RunEnd>()
  const listen = plan.listen ?? plan.socket
  rmSync(listen, { force: true })
  const running = { child: undefined as RunningCommand | undefined, since: clock.monotonic() }
  const meter = createTrafficMeter()
  const totals = () => ({ runningMs: Math.round(clock.monotonic() - running.since), ...meter.traffic() })
  // loaded by those that have it, like its other parts
  using egress = plan.egress && (await (await import('../gateway/egress.ts')).startEgress(plan.egress, meter))
  const read = (child: RunningCommand, disk?: DiskWatch) =>
    Promise.all([
      child.end,
      pumpOutput(disk?.watchOutput(child.out) ?? child.out, 'out', { writer, clock }),
      pumpOutput(disk?.watchOutput(child.err) ?? child.err, 'err', { writer, clock }),
    ])
  // loaded by those that have it: what a shim loads, each start waits for
  const parts = await partsOf(plan)
  const { build } = plan
  // what a sandbox used while it waited is not the run's
  const before = order === undefined ? 0 : cpuMsNow(plan, undefined)
  const beginChild = async (): Promise<RunningCommand> =>
    beginOther?.(plan, clock) ?? runCommand(plan, order?.commandFor(plan) ?? startCommand(plan, files), clock, parts)
  const begin = async () => {
    const refused = build && (await parts.build?.copyIn(build))
    if (refused !== undefined) return refused
    const disk = build === undefined ? undefined : parts.build?.watchDisk(build, clock)
    const began = clock.monotonic()
    const child = await beginChild()
    running.child = child
    running.since = began
    // first: of a process that has ended, what nobody reads is thrown away
    const ending = read(child, disk)
    ending.catch(() => {})
    if (plan.message !== undefined) order?.begin(plan.message)
    if (!plan.sandboxed && child.pid !== undefined) await writeJson(files.child, identify(child.pid))
    endInTime(clock, plan.lifetime ?? { afterMs: plan.endsAfterMs, graceMs: 0 }, child)
    return { ending, disk }
  }
  // a build copies its code first, and can be asked meanwhile
  let begun = build === undefined ? await begin() : undefined
  // while its program begins
  if (order !== undefined) await Promise.all([writeIdentity(files, clock), writer.write('')])
  const gateway = await startGatewayServer({
    path: listen,
    egress: egress?.attach,
    meter,
    ports: plan.ports,
    other: async (request) => {
      if (request.wait === true) return JSON.stringify(await finished.promise)
      if (typeof request.stop === 'number')
        await running.child?.stop(request.stop, request.reason === 'timeout' ? 'timeout' : 'stopped')
      else if (typeof request.check === 'number') return running.child?.check(request.check)
      else if (request.stats === true)
        return JSON.stringify({
          ...totals(),
          ...(running.child?.stats?.() ?? (await stats(plan, running.child?.pid, await before))),
          ...(plan.disk !== undefined && { diskBytes: await heldBy(plan.disk) }),
        })
      else return undefined
      return 'ok'
    },
  })
  try {
    begun ??= await begin()
    order?.done()
    const { disk, ending } = 'ending' in begun ? begun : { ending: [begun] as const, disk: undefined }
    const [ended] = await ending
    const used = totals()
    const end =
      build === undefined || disk === undefined
        ? ended
        : ((await parts.build?.finishBuild(build, disk, ended)) ?? ended)
    if (plan.outputs !== undefined && end.exitCode === 0 && end.reason === 'exit')
      await copyOutputs(plan.outputs, files.outputs, clock, running.child?.processes)
    if (end.detail !== undefined) await writer.write(formatLine('node', clock.now(), end.detail))
    const cpuMs = end.cpuMs ?? Math.max(0, ((await cgroupStats(plan.cgroup)).cpuMs ?? childrenCpuMs()) - (await before))
    const counted = { ...end, ...used, endedAt: clock.now(), cpuMs }
    await writeJson(files.end, counted)
    finished.resolve(counted)
    // those that wait are answered before the gateway closes
    await new Promise<void>((resolve) => clock.after(0, resolve))
  } finally {
    await writer[Symbol.asyncDispose]()
    gateway.close()
    await rm(listen, { force: true })
  }
}

/** The task has succeeded, whatever comes of this: without the folder its outputs are gone. */
async function copyOutputs(
  outputs: OutputFolders,
  dir: string,
  clock: Clock,
  processes: RunningCommand['processes'],
): Promise<void> {
  try {
    await (await import('./outputs/shim-outputs.ts')).copyOutputs(outputs, dir, clock, processes)
  } catch {
    await rm(dir, { recursive: true, force: true }).catch(() => {})
  }
}

/** Undefined: it is void. In one go: a command that waits for it begins at once. */
function takePlan({ plan, taken }: RunFiles): ShimSpec | undefined {
  try {
    renameSync(plan, taken)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  return JSON.parse(readFileSync(taken, 'utf8')) as ShimSpec
}

async function writeIdentity(files: RunFiles, clock: Clock): Promise<void> {
  const startTicks = statFields('self')?.[19] ?? ''
  const identity: ShimIdentity = { startTicks, bootId: bootId(), startedAt: clock.now() }
  await writeJson(files.identity, identity, { durable: false })
}

/** Also without a node: a time limit on the monotonic clock, the expiry on the wall clock. */
function endInTime(clock: Clock, { afterMs, expiresAt, graceMs }: PlanLifetime, child: RunningCommand): void {
  if (afterMs !== undefined) clock.after(afterMs, () => void child.stop(graceMs, 'timeout'))
  if (expiresAt === undefined) return
  const look = clock.every(EXPIRY_LOOK_MS, () => {
    if (clock.now() < expiresAt) return
    look.cancel()
    void child.stop(graceMs, 'stopped')
  })
}

export type BeginCommand = (plan: ShimSpec, clock: Clock) => Promise<RunningCommand>

/** `warm`: it is there before its plan. `begin`: something else than bubblewrap begins the command. */
export type ShimInit = { readonly warm?: boolean; readonly begin?: BeginCommand }

export type RunningCommand = {
  pid: number | undefined
  out: Readable
  err: Readable
  end: Promise<RunEnd>
  stop(graceMs: number, reason: EndReason): Promise<void>
  /** undefined: it has no checks, or one is under way */
  check(seconds: number): Promise<string> | undefined
  /** those that there are; absent: all that the shim sees */
  processes?(): readonly RunProcess[]
  /** what it uses; absent: what the shim sees of it */
  stats?(): RunStats
}

/** What only some runs need. */
async function partsOf({ build, checks, watchDisk }: ShimSpec) {
  return {
    build: build === undefined ? undefined : await import('./build-disk.ts'),
    checks: checks === true ? await import('./shim-checks.ts') : undefined,
    disk: watchDisk === undefined ? undefined : await import('./disk-limit.ts'),
  }
}

function runCommand(
  plan: ShimSpec,
  { child, first: init, ended }: StartedCommand,
  clock: Clock,
  parts: Partial<Awaited<ReturnType<typeof partsOf>>>,
): RunningCommand {
  let reason: EndReason = 'exit'
  const kill = async () => signal((await init) ?? child.pid, 'SIGKILL')
  const watch =
    plan.watchMemory === null
      ? undefined
      : clock.every(MEMORY_WATCH_MS, () => {
          if (reason === 'memory' || memoryOf(runProcesses(plan.sandboxed, child.pid)) <= Number(plan.watchMemory))
            return
          reason = 'memory'
          void kill()
        })
  const disk =
    plan.watchDisk &&
    parts.disk?.limitDisk(
      clock,
      plan.watchDisk,
      () => child.pid,
      () => void kill(),
    )
  const all: readonly unknown[] = child.stdio
  const asked = { asking: all[CHECK_FD] as Writable, answers: all[CHECKED_FD] as Readable }
  const checks = parts.checks?.createChecks(asked, clock)
  return {
    pid: child.pid,
    out: child.stdout as Readable,
    err: child.stderr as Readable,
    check: (seconds) => checks?.ask(seconds),
    async stop(graceMs, why) {
      if (reason === 'exit') reason = why
      const first = await init
      const commands = plan.sandboxed
        ? runProcesses(true, child.pid).filter(({ parent }) => parent === first)
        : [{ pid: child.pid }]
      for (const { pid } of commands) signal(pid, 'SIGTERM')
      if (commands.length === 0) await kill()
      else clock.after(graceMs, () => void kill())
    },
    end: ended.then(async ({ exitCode, detail }) => {
      watch?.cancel()
      disk?.stop()
      if (plan.watchDisk !== undefined && (await disk?.exceeded())) {
        return { exitCode: exitCode || 1, reason: 'exit', detail: overDiskText(plan.watchDisk.bytes, plan.purpose) }
      }
      if (reason === 'exit' && exitCode !== 0 && (await oomKills(plan.cgroup)) > 0) reason = 'memory'
      return { exitCode, reason, detail: reason === 'memory' ? 'it used more memory than granted' : detail }
    }),
  }
}

async function stats(plan: ShimSpec, child: number | undefined, cpuBefore: number) {
  const processes = runProcesses(plan.sandboxed, child)
  const counted = await cgroupStats(plan.cgroup)
  return {
    memoryBytes: counted.memoryBytes || memoryOf(processes),
    cpuMs: Math.max(0, (counted.cpuMs ?? cpuMsOf(processes)) - cpuBefore),
    pids: counted.pids || processes.length,
  }
}

async function cpuMsNow(plan: ShimSpec, child: number | undefined): Promise<number> {
  return (await cgroupStats(plan.cgroup)).cpuMs ?? cpuMsOf(runProcesses(plan.sandboxed, child))
}

/** What a file system of its own holds. */
async function heldBy(dir: string): Promise<number | undefined> {
  const found = await statfs(dir).catch(() => undefined)
  return found && (found.blocks - found.bfree) * found.bsize
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(pid, name)
  } catch {
    // it has ended
  }
}
