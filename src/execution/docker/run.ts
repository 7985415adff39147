import type Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import { GatewayUnreachableError, RunRefusedError } from '../errors.ts'
import { connectThroughGateway, isGatewayOpen, serveEgressThrough } from '../gateway/client.ts'
import { createLogWriter, type LogLimits, type LogWriter } from '../logs/writer.ts'
import type { Plan, Run, RunEnd, RunStats } from '../types.ts'
import { createContainerCheck } from './container-check.ts'
import type { DockerHandle } from './container-options.ts'
import { type Engine, statusOf } from './engine.ts'
import type { EngineLocality } from './engine-locality.ts'
import type { Gateways } from './gateways.ts'
import { type AttachedStream, writeAttachedOutput } from './output/attached-output.ts'
import { stopWhenIdle } from './output/idle-limit.ts'
import { copyOutput, type Output } from './output/log-copier.ts'
import { gatewayTotals, totalsAtEnd } from './run-usage.ts'
import { taskOutputs } from './task-outputs.ts'

/** How far the engine's clock may be ahead of ours: the same clock, of which we keep whole milliseconds, or another's. */
const OWN_CLOCK_MS = 1
const OTHER_CLOCK_MS = 60_000

/** The engine answers a stop when it is done: after the grace, and what killing takes. */
const STOP_MS = 60_000

export type DockerRunInput = {
  readonly engine: Engine
  readonly gateways: Gateways
  readonly clock: Clock
  readonly logs: LogLimits
  readonly handle: DockerHandle
  readonly locality: EngineLocality
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports' | 'logDir' | 'lifetime'>
  readonly gatewayFirst: boolean
  readonly startedAt: number
  /** when it began in a container that was there before it, ms since 1970 */
  readonly beganAt?: number | undefined
  /** see `Run.start` */
  readonly start?: string | undefined
  /** what it writes, from the beginning; absent where an earlier process started it */
  readonly attached?: AttachedStream | undefined
  /** Stays with it to its end, and may change how it ended: what a build leaves is to be brought here. */
  readonly attend?: ((ended: Promise<RunEnd>, signal: AbortSignal | undefined) => Promise<RunEnd>) | undefined
}

/** A container that was started, by this process or an earlier one. Its gateway opens with the first connection. */
export function dockerRun(input: DockerRunInput): Run {
  const { engine, gateways, clock, handle, plan, attend } = input
  const askContainer = <T>(call: (container: Docker.Container) => Promise<T>, patienceMs?: number) =>
    engine.ask((docker) => call(docker.getContainer(handle.name)), patienceMs)
  let stopped: 'stopped' | 'timeout' | undefined
  let opening: Promise<void> | undefined
  let end: Promise<RunEnd> | undefined

  async function ended(signal?: AbortSignal): Promise<RunEnd> {
    // only `wait` copies the output: a run may be looked at by several
    const writer = createLogWriter(plan.logDir, 'run', input.logs)
    const output = outputInto(writer)
    const finish = () => output.finish().finally(() => writer[Symbol.asyncDispose]())
    try {
      const end = await hasEnded(signal)
      output.unthrottle()
      using _limit = stopWhenIdle(output, { writer, clock })
      await finish()
      return end
    } catch (error) {
      output.stop()
      finish().catch(() => {})
      throw error
    }
  }

  /** The first `wait` for a run that this process has started gets what it writes from its first byte on. */
  function outputInto(writer: LogWriter): Output {
    const { startedAt, locality } = input
    const aheadMs = locality === 'local' ? OWN_CLOCK_MS : OTHER_CLOCK_MS
    const resume = () => copyOutput(engine, handle.name, { dir: plan.logDir, writer, clock, startedAt, aheadMs })
    const source = input.attached?.take()
    return source === undefined ? resume() : writeAttachedOutput(source, { writer, clock, resume })
  }

  async function hasEnded(signal?: AbortSignal): Promise<RunEnd> {
    await engine.waitForExit(handle.name, signal)
    const { State } = await askContainer((container) => container.inspect())
    const StartedAt = input.beganAt === undefined ? State.StartedAt : new Date(input.beganAt).toISOString()
    const state = { ...State, StartedAt }
    const end = endOf(state, stopped, plan.lifetime?.afterMs)
    return { ...end, ...totalsAtEnd(ranMsOf(state), end, await gatewayTotals(gateways.endpoint(input), clock, signal)) }
  }

  return {
    handle,
    startedAt: input.startedAt,
    start: input.start,
    wait({ signal } = {}) {
      // what failed (the engine went away, the caller gave up) is asked again by the next call
      const asking = end ?? (attend === undefined ? ended(signal) : attend(ended(signal), signal))
      end = asking
      asking.catch(() => {
        if (end === asking) end = undefined
      })
      return asking
    },
    async stop({ graceMs, reason = 'stopped' }) {
      stopped ??= reason
      try {
        await askContainer((container) => container.stop({ t: Math.ceil(graceMs / 1000) }), graceMs + STOP_MS)
      } catch (error) {
        // 304: it has ended; 404: it is gone
        if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error
      }
    },
    async stats({ signal } = {}) {
      const [stats, counted] = await Promise.all([
        askContainer((container) => container.stats({ stream: false, 'one-shot': true })),
        gatewayTotals(gateways.endpoint(input), clock, signal),
      ])
      const used = statsOf(stats)
      return { ...counted, ...used, cpuMs: Math.max(0, used.cpuMs - (counted?.cpuBeforeMs ?? 0)) }
    },
    check: createContainerCheck(engine, handle.name, clock),
    async reachable({ signal } = {}) {
      const endpoint = gateways.endpoint(input)
      if (await isGatewayOpen(endpoint, signal).catch(() => false)) return true
      // an absent engine or an ended run is not a lost gateway: `wait` notices it
      const running = await askContainer((container) => container.inspect()).then(
        ({ State }) => State.Running,
        () => false,
      )
      if (!running) return true
      await gateways.restore(input)
      return false
    },
    outputs: (paths) => taskOutputs({ engine, handle }, paths),
    serveEgress: (egress, options) => serveEgressThrough(gateways.endpoint(input), egress, options),
    async connect(port, options = {}) {
      const endpoint = gateways.endpoint(input)
      // the other endpoint opens the gateway itself
      if (typeof endpoint === 'string') await opened()
      try {
        return await connectThroughGateway(endpoint, port, { ...options, clock })
      } catch (error) {
        // a gateway that was lost is opened again for the next connection
        if (error instanceof GatewayUnreachableError) opening = undefined
        throw error
      }
    },
  }

  function opened(): Promise<void> {
    const current = opening ?? gateways.open(input)
    opening = current
    current.catch(() => {
      if (opening === current) opening = undefined
    })
    return current
  }
}

/** One that was over before it began. */
export function finishedRun(handle: unknown, startedAt: number, end: RunEnd): Run {
  const over = () => Promise.reject(new RunRefusedError('the run has ended'))
  return {
    handle,
    startedAt,
    wait: async () => end,
    stop: async () => {},
    stats: over,
    connect: over,
    serveEgress: over,
  }
}

const KILLED = 137

type State = Docker.ContainerInspectInfo['State']

/** How much shorter a run that its time limit ended may seem by another clock. */
const LIMIT_SLACK_MS = 1000

/** `limitMs`: where the node was away, the gateway ended the run with its time. One that ended before was not ended by its limit. */
function endOf(state: State, stopped: 'stopped' | 'timeout' | undefined, limitMs: number | undefined): RunEnd {
  const exitCode = state.ExitCode
  const endedAt = Date.parse(state.FinishedAt)
  const end = { exitCode, endedAt }
  const ranMs = ranMsOf(state)
  if (stopped === 'timeout' && limitMs !== undefined && ranMs < limitMs - LIMIT_SLACK_MS)
    return endOf(state, undefined, limitMs)
  if (stopped === undefined && exitCode === KILLED && limitMs !== undefined && ranMs >= limitMs)
    return { ...end, reason: 'timeout' }
  if (state.OOMKilled && exitCode !== 0) return { ...end, reason: 'memory', detail: 'it used more memory than granted' }
  return { ...end, reason: stopped ?? 'exit', detail: state.Error === '' ? undefined : state.Error.slice(0, 300) }
}

function ranMsOf({ StartedAt, FinishedAt }: State): number {
  return Date.parse(FinishedAt) - Date.parse(StartedAt)
}

function statsOf(stats: Docker.ContainerStats): RunStats {
  return {
    memoryBytes: stats.memory_stats.usage ?? 0,
    cpuMs: Math.round((stats.cpu_stats.cpu_usage.total_usage ?? 0) / 1e6),
    pids: stats.pids_stats?.current ?? 0,
  }
}
