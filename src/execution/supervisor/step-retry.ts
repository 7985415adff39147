import { sleep } from '../../base/clock.ts'
import { isDiskFull, messageOf } from '../../base/errors.ts'
import { retry } from '../../base/retry.ts'
import type { RunRecord } from '../../base/run-record.ts'
import { DISK_FULL_RETRY_MS, RETRY_BACKOFF } from '../constants.ts'
import { BuildFailedError } from '../errors.ts'
import type { RunChange } from '../journal.ts'
import type { SupervisorComponents } from './types.ts'

/** A full disk fails nothing for good: when there is space again, what waited goes on. */
export interface StepRetry {
  /** Does it until it works, cannot work, the attempts are spent, or the run is to end. A full disk spends no attempt. */
  retryStep<T>(what: string, attempts: number, work: () => Promise<T>): Promise<T>
  /** Journals a change as soon as the disk has space for it; nothing is done before. */
  recordChange(change: RunChange): Promise<void>
}

export function createStepRetry(
  { clock, rng, log }: Pick<SupervisorComponents, 'clock' | 'rng' | 'log'>,
  init: { record: RunRecord; transition(change: RunChange): void; signal: AbortSignal; detach: AbortSignal },
): StepRetry {
  const { transition, signal } = init
  const { runId, service } = init.record

  async function recordChange(change: RunChange): Promise<void> {
    for (;;) {
      try {
        return transition(change)
      } catch (error) {
        if (!isDiskFull(error)) throw error
        log.warn('the state of a run cannot be journalled: the disk is full; the run waits', {
          runId,
          reason: messageOf(error),
        })
        await sleep(clock, DISK_FULL_RETRY_MS, { signal: init.detach })
      }
    }
  }

  /** Reports that it waits, where the journal has space for that, and waits a while. */
  async function untilSpace(what: string, error: unknown): Promise<void> {
    log.warn('a run waits for disk space', { runId, service, reason: messageOf(error) })
    try {
      transition({ detail: `${what} waits for disk space: ${messageOf(error)}` })
    } catch (second) {
      if (!isDiskFull(second)) throw second
    }
    await sleep(clock, DISK_FULL_RETRY_MS, { signal })
  }

  async function waitingForSpace<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        // the text of a build's failure is its author's, and the disk that it filled was its own
        if (signal.aborted || error instanceof BuildFailedError || !isDiskFull(error)) throw error
        await untilSpace(what, error)
      }
    }
  }

  return {
    recordChange,
    retryStep(what, attempts, work) {
      const onRetry = (error: unknown) => recordChange({ detail: `${what} is tried again: ${messageOf(error)}` })
      return retry(() => waitingForSpace(what, work), {
        clock,
        rng,
        backoff: RETRY_BACKOFF,
        attempts,
        signal,
        onRetry,
      })
    },
  }
}
