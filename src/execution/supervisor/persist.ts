import { type Clock, sleep } from '../../base/clock.ts'
import { mayRetry, messageOf } from '../../base/errors.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { RETRY_BACKOFF } from '../constants.ts'
import type { RunChange } from '../journal.ts'

/** Does work until it works, can not work, the attempts are spent, or the run is to end; each attempt is journalled. */
export function createPersist(
  { clock, rng }: { clock: Clock; rng: Rng },
  { enter, signal }: { enter(change: RunChange): void; signal: AbortSignal },
) {
  return async <T>(what: string, attempts: number, work: () => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        if (signal.aborted || !mayRetry(error) || attempt + 1 >= attempts) throw error
        enter({ detail: `${what} is tried again: ${messageOf(error)}` })
        await sleep(clock, backoffMs(attempt, RETRY_BACKOFF, rng), { signal })
      }
    }
  }
}
