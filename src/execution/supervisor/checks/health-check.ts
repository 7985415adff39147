import { type Clock, sleep } from '../../../base/clock.ts'
import { HEALTH_POLL_MS, HEALTHY_AFTER_PORTS_MS, MAX_TIMER_MS } from '../../constants.ts'
import type { Run, RunnableService } from '../../types.ts'
import type { HealthSettings } from '../types.ts'
import { runCheck } from './run-check.ts'

export type HealthInit = {
  readonly service: RunnableService['run']
  /** how long it has been up already */
  readonly upMs: number
  /** as the policy says now */
  settings(): HealthSettings
}

/**
 * Resolves with true when the run is healthy, with false when the signal (the run's end) comes first. With `run.check`: it
 * passed, and the run stayed up for a moment after. With ports: each accepted a connection, and it stayed up for a moment
 * after. Without: it was up for the healthy time. A task is healthy when it has ended with 0, so never while it runs.
 */
export async function untilHealthy(
  run: () => Run,
  { service, upMs, settings }: HealthInit,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const { kind, check, ports = [] } = service
  if (kind === 'task') return false
  const until = async (passes: () => Promise<boolean>, pauseMs: () => number) => {
    while (!signal.aborted && !(await passes())) await sleep(clock, pauseMs(), { signal }).catch(() => {})
  }
  if (check !== undefined) {
    // soon at first: most start in a second
    let pauseMs = HEALTH_POLL_MS
    const pause = () => {
      pauseMs = Math.min(2 * pauseMs, settings().check.intervalMs)
      return pauseMs
    }
    const timeoutMs = () => settings().check.timeoutMs
    await until(async () => (await problemOf(run(), service, clock, timeoutMs(), signal)) === undefined, pause)
  } else {
    for (const { port } of ports)
      await until(
        () => answers(run(), port, signal),
        () => HEALTH_POLL_MS,
      )
  }
  const asked = check !== undefined || ports.length > 0
  const leftMs = asked ? HEALTHY_AFTER_PORTS_MS : Math.max(0, settings().healthyMs - upMs)
  await sleep(clock, leftMs, { signal }).catch(() => {})
  return !signal.aborted
}

/**
 * Carries out `run.check` again and again. Resolves with a sentence when it has failed as often in a row as the settings
 * say; rejects with the signal.
 */
export async function untilCheckFails(
  run: () => Run,
  { service, settings }: Pick<HealthInit, 'service' | 'settings'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  for (let failures = 0; ; ) {
    await sleep(clock, settings().check.intervalMs, { signal })
    const { timeoutMs, failures: allowed } = settings().check
    const problem = await problemOf(run(), service, clock, timeoutMs, signal)
    signal.throwIfAborted()
    failures = problem === undefined ? 0 : failures + 1
    if (failures < allowed) continue
    return `its check failed${failures > 1 ? ` ${failures} times in a row` : ''}: ${problem}`
  }
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

async function problemOf(
  run: Run,
  { check, ports }: RunnableService['run'],
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (check === undefined) return undefined
  return runCheck(run, { check, ports }, { clock, timeoutMs, signal }).catch(() => 'the run is over')
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
