import { type Duplex, duplexPair, PassThrough } from 'node:stream'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Disk } from '../../base/os/disk.ts'
import { createLogWriter, type LogLimits, pumpOutput } from '../../execution/logs/writer.ts'
import type { EndReason, Plan, RunEnd } from '../../execution/types.ts'
import type { Program } from './program.ts'

/** A program that is under way, or was. It goes on when the node that started it is gone. */
export interface SimulatedRun {
  readonly plan: Plan
  readonly startedAt: number
  /** Resolves when the program has ended and its output is in the log files. */
  readonly end: Promise<RunEnd>
  readonly hasEnded: boolean
  terminate(graceMs: number, reason: EndReason): void
  connect(port: number): Duplex | undefined
}

export type SimulatedRunInit = {
  readonly plan: Plan
  /** undefined: there is no program of this name */
  readonly program: Program | undefined
  readonly logs: LogLimits
}

const [NOT_FOUND, KILLED, TERMINATED, FAILED] = [127, 137, 143, 1]

export function startSimulatedRun(
  { clock, disk }: { clock: Clock; disk: Disk },
  { plan, program, logs }: SimulatedRunInit,
): SimulatedRun {
  const [name = '', ...args] = plan.command
  const startedAt = Math.floor(clock.now())
  const output = { out: new PassThrough(), err: new PassThrough() }
  const ports = new Map<number, (connection: Duplex) => void>()
  const over = new AbortController()
  const killed = Promise.withResolvers<number>()
  let onTerminate: () => void = () => killed.resolve(TERMINATED)
  let asked: EndReason | undefined
  let hasEnded = false

  const context: Parameters<Program>[0] = {
    ...{ args, env: { HOME: '/work', ...plan.env }, codeDir: plan.codeDir, workdir: plan.workdir },
    write: (stream, data) => void (over.signal.aborted || output[stream].write(data)),
    listen: (port, onConnection) => void ports.set(port, onConnection),
    onTerminate(callback) {
      onTerminate = callback
    },
    sleep: (ms) => sleep(clock, ms, { signal: over.signal }),
    ended: over.signal,
  }

  async function execute(): Promise<number> {
    if (program !== undefined) return await Promise.race([program(context), killed.promise])
    output.err.write(`${name}: no such program\n`)
    return NOT_FOUND
  }

  async function run(): Promise<RunEnd> {
    await using writer = createLogWriter(plan.logDir, 'run', logs, disk)
    const pumps = [pumpOutput(output.out, 'out', { writer, clock }), pumpOutput(output.err, 'err', { writer, clock })]
    const exitCode = await execute().catch((error: unknown) => {
      output.err.write(`${messageOf(error)}\n`)
      return FAILED
    })
    over.abort(new UnavailableError('the run has ended'))
    for (const stream of Object.values(output)) stream.end()
    await Promise.all(pumps)
    hasEnded = true
    return { exitCode, reason: asked ?? 'exit', endedAt: Math.floor(clock.now()), cpuMs: 0 }
  }

  const timers = new DisposableStack()
  over.signal.addEventListener('abort', () => timers.dispose(), { once: true })
  const terminate = (graceMs: number, reason: EndReason) => {
    if (over.signal.aborted) return
    asked ??= reason
    if (graceMs > 0) onTerminate()
    if (!over.signal.aborted) timers.use(clock.after(graceMs, () => killed.resolve(KILLED)))
  }
  const { afterMs, expiresAt, graceMs = 0 } = plan.lifetime ?? {}
  const lifeMs = Math.min(afterMs ?? Number.POSITIVE_INFINITY, (expiresAt ?? Number.POSITIVE_INFINITY) - startedAt)
  if (Number.isFinite(lifeMs)) timers.use(clock.after(Math.max(0, lifeMs), () => terminate(graceMs, 'timeout')))
  const end = run()

  return {
    plan,
    startedAt,
    end,
    get hasEnded() {
      return hasEnded
    },
    terminate,
    connect(port) {
      const onConnection = ports.get(port)
      if (onConnection === undefined || over.signal.aborted) return undefined
      const [mine, theirs] = duplexPair()
      onConnection(theirs)
      return mine
    },
  }
}
