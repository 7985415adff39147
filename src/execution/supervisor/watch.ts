import { type Clock, sleep } from '../../base/clock.ts'
import { HEALTH_POLL_MS, MAX_TIMER_MS } from '../constants.ts'
import type { Run } from '../contract.ts'

/** Resolves with true when every port has answered a connect, with false when the signal ends the asking. */
export async function untilHealthy(
  run: Run,
  ports: readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  for (const port of ports) {
    while (!(await answers(run, port, signal))) {
      if (signal.aborted) return false
      await sleep(clock, HEALTH_POLL_MS, { signal }).catch(() => {})
    }
  }
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
