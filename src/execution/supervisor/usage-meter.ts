import { messageOf } from '../../base/errors.ts'
import { addLook, type UsageLook } from '../../base/run-usage.ts'
import { USAGE_PERIOD_MS } from '../constants.ts'
import type { Run } from '../types.ts'
import type { MonitoredEnd, SupervisorComponents } from './types.ts'

export type UsageMeterInit = {
  readonly runId: string
  readonly service: string
  run(): Run
  /** number of this start */
  readonly start: number
  /** aborts when the node closes and leaves the run as it is */
  readonly detach: AbortSignal
}

export type UsageMeter = Disposable & {
  /** What the executor knows at the end of a start is counted, too. */
  ended(end: MonitoredEnd): void
}

/**
 * Looks again and again what a run uses, and journals it. What the run uses while no node is there is in the executor's
 * next answer: it counts from the run's start.
 */
export function meterUsage(
  { clock, journal, events, log }: Pick<SupervisorComponents, 'clock' | 'journal' | 'events' | 'log'>,
  { runId, service, run, start, detach }: UsageMeterInit,
): UsageMeter {
  let over = false

  function record(look: Pick<UsageLook, 'cpuMs' | 'memoryBytes' | 'at'>): void {
    try {
      const runningMs = Math.max(0, look.at - run().startedAt)
      journal.recordUsage(runId, addLook(journal.usage(runId), { ...look, start, runningMs }))
      events.emit('execution:usage', { service, runId })
    } catch (error) {
      log.debug('what a run uses could not be journalled', { runId, reason: messageOf(error) })
    }
  }

  async function look(): Promise<void> {
    const stats = await run()
      .stats({ signal: detach })
      .catch(() => undefined)
    // of an end that came meanwhile, `ended` knows more
    if (over || stats === undefined) return
    record({ ...stats, at: clock.now() })
  }

  const timer = clock.every(USAGE_PERIOD_MS, () => void look())
  return {
    ended({ endedAt = clock.now(), cpuMs }) {
      record({ at: endedAt, cpuMs })
    },
    [Symbol.dispose]() {
      over = true
      timer.cancel()
    },
  }
}
