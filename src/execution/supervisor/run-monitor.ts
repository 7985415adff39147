import { atWallTime, sleep } from '../../base/clock.ts'
import { isRetryable, messageOf } from '../../base/errors.ts'
import { backoffMs } from '../../base/retry.ts'
import { RETRY_BACKOFF } from '../constants.ts'
import type { Executor, Run, RunEnd } from '../types.ts'
import { untilGatewayLost } from './gateway-check.ts'
import { afterMs, untilHealthy } from './health-check.ts'
import type { StopRequest } from './restart-policy.ts'
import { type RunSpec, timeLimitMs } from './run-spec.ts'
import type { SupervisorComponents } from './types.ts'

export type RunMonitorInit = {
  readonly runId: string
  readonly spec: RunSpec
  readonly executor: Executor
  readonly run: Run
  readonly graceMs: number
  /** how long a service without ports has to be up to be healthy */
  healthyMs(): number
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
export async function monitorRun(components: SupervisorComponents, init: RunMonitorInit): Promise<RunEnd> {
  const { clock, rng, log, events } = components
  const { runId, spec, executor, detach } = init
  const over = new AbortController()
  let run = init.run
  let timeout = false
  let unreachable = false

  function halt(): void {
    const request = init.stopRequest()
    if (request === undefined && !timeout) return
    const reason = request === undefined ? 'timeout' : 'stopped'
    run.stop({ graceMs: request?.graceMs ?? init.graceMs, reason }).catch((error: unknown) => {
      log.warn('a run could not be asked to stop', { runId, reason: messageOf(error) })
    })
  }

  async function becomesHealthy(): Promise<void> {
    const { kind, ports = [] } = spec.service.run
    const health = {
      kind,
      ports: ports.map(({ port }) => port),
      upMs: Math.max(0, clock.now() - run.startedAt),
      healthyMs: init.healthyMs(),
    }
    if (!(await untilHealthy(() => run, health, clock, over.signal))) return
    const now = clock.now()
    init.onHealthy(true)
    events.emit('execution:healthy', { service: spec.service.id, runId, at: now, afterMs: now - run.startedAt })
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
  void becomesHealthy()
  if ((spec.service.run.ports ?? []).length > 0) restartUnreachable().catch(() => {})
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        const end = await run.wait({ signal: detach })
        return unreachable ? UNREACHABLE : end
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
    init.interrupt.removeEventListener('abort', halt)
  }
}
