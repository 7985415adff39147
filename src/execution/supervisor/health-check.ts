import { type Clock, sleep } from '../../base/clock.ts'
import { HEALTH_POLL_MS, HEALTHY_AFTER_PORTS_MS, MAX_TIMER_MS } from '../constants.ts'
import type { Run } from '../types.ts'

export type HealthInit = {
  readonly kind: 'task' | 'service'
  readonly ports: readonly number[]
  /** how long it has been up already */
  readonly upMs: number
  /** how long a service without ports has to be up */
  readonly healthyMs: number
}

/**
 * Resolves with true when the run is healthy, with false when the signal (the run's end) comes first. With ports: each
 * accepted a connection, and it stayed up for a moment after. Without: it was up for the healthy time. A task is healthy
 * when it has ended with 0, so never while it runs.
 */
export async function untilHealthy(
  run: () => Run,
  { kind, ports, upMs, healthyMs }: HealthInit,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  if (kind === 'task') return false
  for (const port of ports) {
    while (!(await answers(run(), port, signal))) {
      if (signal.aborted) return false
      await sleep(clock, HEALTH_POLL_MS, { signal }).catch(() => {})
    }
  }
  const left = ports.length > 0 ? HEALTHY_AFTER_PORTS_MS : Math.max(0, healthyMs - upMs)
  await sleep(clock, left, { signal }).catch(() => {})
  return !signal.aborted
}

/** Calls back after a duration that may be longer than a timer can be set. The wall clock has no part in it. */
export function afterMs(clock: Clock, ms: number, callback: () => void): Disposable {
  const end = clock.monotonic() + ms
  const arm = () => {
    const left = Math.max(0, end - clock.monotonic())
    return clock.after(Math.min(left, MAX_TIMER_MS), () => {
      if (clock.monotonic() >= end) callback()
      else timer = arm()
    })
  }
  let timer = arm()
  return { [Symbol.dispose]: () => timer.cancel() }
}

async function answers(run: Run, port: number, signal: AbortSignal): Promise<boolean> {
  try {
    const pipe = await run.connect(port, { signal, patienceMs: 0 })
    pipe.on('error', () => {})
    pipe.destroy()
    return true
  } catch {
    return false
  }
}
