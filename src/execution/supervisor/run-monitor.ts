import { atWallTime, sleep } from '../../base/clock.ts'
import { isRetryable, messageOf } from '../../base/errors.ts'
import { backoffMs } from '../../base/retry.ts'
import { RETRY_BACKOFF } from '../constants.ts'
import type { Executor, Run, RunEnd } from '../types.ts'
import { untilGatewayLost } from './checks/gateway-check.ts'
import { afterMs, untilCheckFails, untilHealthy } from './checks/health-check.ts'
import { notHealthyText, type StopRequest } from './restart-policy.ts'
import type { RunEgress } from './run-egress.ts'
import { type RunSpec, timeLimitMs } from './run-spec.ts'
import type { HealthSettings, MonitoredEnd, SupervisorComponents } from './types.ts'

export type RunMonitorInit = {
  readonly runId: string
  readonly spec: RunSpec
  readonly executor: Executor
  readonly run: Run
  readonly egress: RunEgress
  readonly graceMs: number
  /** as the policy says now */
  health(): HealthSettings
  /** aborts when the node closes and leaves the run as it is */
  readonly detach: AbortSignal
  /** aborts when there is a stop request */
  readonly interrupt: AbortSignal
  /** why it is to end, once it is */
  stopRequest(): StopRequest | undefined
  onExpired(): void
  /** the executor that had lost it has found it again */
  onReconnect(run: Run): void
  onHealthy(healthy: boolean): void
}

const LOST: RunEnd = { exitCode: 137, reason: 'exit', detail: 'its engine has lost it' }
const UNREACHABLE: RunEnd = { exitCode: 137, reason: 'exit', detail: 'it was unreachable: its gateway was lost' }

/** Stays with a run to its end: stops it when it has to, reports whether it is healthy, waits for an engine that went away. */
export async function monitorRun(components: SupervisorComponents, init: RunMonitorInit): Promise<MonitoredEnd> {
  const { clock, rng, log, events } = components
  const { runId, spec, executor, detach } = init
  const over = new AbortController()
  let run = init.run
  let timeout = false
  let unreachable = false
  /** why its health ends it */
  let unhealthy: string | undefined

  function halt(): void {
    const request = init.stopRequest()
    if (request === undefined && !timeout && unhealthy === undefined) return
    const reason = request === undefined && timeout ? 'timeout' : 'stopped'
    run.stop({ graceMs: request?.graceMs ?? init.graceMs, reason }).catch((error: unknown) => {
      log.warn('a run could not be asked to stop', { runId, reason: messageOf(error) })
    })
  }

  /** Reports that it is healthy; with `run.check`, ends it when it is not by the deadline, or is not any more. */
  async function watchHealth(): Promise<void> {
    const { run: service, id } = spec.service
    const health = { service, upMs: Math.max(0, clock.now() - run.startedAt), settings: init.health }
    const { deadlineMs } = init.health()
    using _deadline =
      service.check === undefined || service.kind === 'task'
        ? undefined
        : afterMs(clock, deadlineMs, () => endUnhealthy(notHealthyText(spec, deadlineMs)))
    if (!(await untilHealthy(() => run, health, clock, over.signal))) return
    _deadline?.[Symbol.dispose]()
    const now = clock.now()
    init.onHealthy(true)
    events.emit('execution:healthy', { service: id, runId, at: now, afterMs: now - run.startedAt })
    if (service.check !== undefined) endUnhealthy(await untilCheckFails(() => run, health, clock, over.signal))
  }

  function endUnhealthy(why: string): void {
    unhealthy = why
    init.onHealthy(false)
    halt()
  }

  /** The run again, once the engine answers; undefined when it does not know it any more. */
  async function findAgain(attempt: number): Promise<Run | undefined> {
    await sleep(clock, backoffMs(attempt, RETRY_BACKOFF, rng), { signal: detach })
    const found = await executor.adopt().catch(() => undefined)
    if (found === undefined) return run
    events.emit('execution:executor', { executor: executor.name, available: true, detail: 'it answers again' })
    return found.find((other) => other.runId === runId && other.state !== 'prepared')?.run
  }

  async function restartUnreachable(): Promise<void> {
    await untilGatewayLost(() => run, clock, over.signal)
    unreachable = true
    init.onHealthy(false)
    log.warn('a run cannot be reached any more, and is ended', { runId, service: spec.service.id })
    await executor.remove(run.handle)
  }

  // a time limit is a duration, on the monotonic clock; the expiry is a date, on the wall clock
  const limitMs = timeLimitMs(spec)
  using _limit =
    limitMs === undefined
      ? undefined
      : afterMs(clock, limitMs - Math.max(0, clock.now() - run.startedAt), () => {
          timeout = true
          halt()
        })
  using _expiry = atWallTime(clock, spec.service.expires * 1000, () => {
    init.onExpired()
    halt()
  })
  init.interrupt.addEventListener('abort', halt, { once: true })
  halt()
  watchHealth().catch(() => {})
  const served = init.egress.serve(() => run, over.signal)
  if ((spec.service.run.ports ?? []).length > 0) restartUnreachable().catch(() => {})
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        const end = await run.wait({ signal: detach })
        if (unreachable) return UNREACHABLE
        return unhealthy === undefined ? end : { ...end, reason: 'unhealthy', detail: unhealthy }
      } catch (error) {
        detach.throwIfAborted()
        if (!isRetryable(error)) throw error
        events.emit('execution:executor', { executor: executor.name, available: false, detail: messageOf(error) })
        const again = await findAgain(attempt)
        if (again === undefined) return unreachable ? UNREACHABLE : LOST
        run = again
        init.onReconnect(run)
        halt()
      }
    }
  } finally {
    over.abort()
    if (served !== undefined) await served
    init.interrupt.removeEventListener('abort', halt)
  }
}
