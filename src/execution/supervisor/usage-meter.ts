import { messageOf } from '../../base/errors.ts'
import { addLook, pointOf, type UsageLook } from '../../base/run-usage.ts'
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
 * Looks once in a period what a run has used, and journals it. What it uses while no node is there is in the executor's next
 * answer. Where the executor does not say how long it ran, that is the time on the monotonic clock since it was found.
 */
export function meterUsage(
  { clock, journal, events, log }: Pick<SupervisorComponents, 'clock' | 'journal' | 'events' | 'log'>,
  { runId, service, run, start, detach }: UsageMeterInit,
): UsageMeter {
  const found = { at: clock.monotonic(), ranMs: Math.max(0, clock.now() - run().startedAt) }
  let over = false
  let looking = false

  function record(said: Omit<UsageLook, 'start'>): void {
    try {
      const usage = addLook(journal.usage(runId), { ...said, start })
      journal.recordUsage(runId, usage, pointOf(usage, said))
      events.emit('execution:usage', { service, runId })
    } catch (error) {
      log.debug('what a run uses could not be journalled', { runId, reason: messageOf(error) })
    }
  }

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    const stats = await run()
      .stats({ signal: detach })
      .catch(() => undefined)
    looking = false
    // of an end that came meanwhile, `ended` knows more
    if (over || stats === undefined) return
    const { runningMs = found.ranMs + clock.monotonic() - found.at } = stats
    record({ ...stats, runningMs, at: clock.now() })
  }

  /** One that was lost, nobody knows when, ran to the last look at least. */
  function ranUntil(endedAt: number | undefined): number {
    if (endedAt !== undefined) return Math.max(0, endedAt - run().startedAt)
    const known = journal.usage(runId)
    const counted = known?.start === start ? known.current.runningMs : 0
    return Math.max(counted, clock.monotonic() - found.at)
  }

  const timer = clock.every(USAGE_PERIOD_MS, () => void look())
  return {
    ended({ endedAt, runningMs = ranUntil(endedAt), cpuMs, receivedBytes, sentBytes }) {
      record({ at: clock.now(), runningMs, cpuMs, receivedBytes, sentBytes })
    },
    [Symbol.dispose]() {
      over = true
      timer.cancel()
    },
  }
}
