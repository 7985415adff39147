import { raceSignal } from 'race-signal'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { retry } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { RETRY_BACKOFF } from '../constants.ts'

/** Builds that could not be removed when they ended, because their executor was away. They go as soon as they can. */
export interface BuildLeftovers extends AsyncDisposable {
  /** Rejects where it cannot be removed now; then that is tried again until it can. */
  remove(buildId: string, remove: () => Promise<void>): Promise<void>
  has(buildId: string): boolean
  /** A build of this id begins again, and removes what is left of it by itself. */
  takeOver(buildId: string): Promise<void>
}

/** `onRemoved`: nothing is left of one that could not be removed at first. */
export function createBuildLeftovers(
  { clock, rng }: { clock: Clock; rng: Rng },
  { onRemoved }: { onRemoved(buildId: string): void },
): BuildLeftovers {
  /** An executor that does not answer keeps no node from closing. */
  const closed = new AbortController()
  const left = new Map<string, { readonly over: AbortController; readonly done: Promise<void> }>()

  async function takeOver(buildId: string): Promise<void> {
    const one = left.get(buildId)
    one?.over.abort(new UnavailableError('the node is closing, or builds it again'))
    await one?.done
  }

  return {
    async remove(buildId, remove) {
      try {
        await remove()
      } catch (error) {
        const over = new AbortController()
        const again = { clock, rng, backoff: RETRY_BACKOFF, signal: over.signal, canRetry: () => true }
        const done = retry(() => raceSignal(remove(), closed.signal), again)
          .then(
            () => onRemoved(buildId),
            () => {},
          )
          .finally(() => left.delete(buildId))
        left.set(buildId, { over, done })
        throw error
      }
    },
    has: (buildId) => left.has(buildId),
    takeOver,
    async [Symbol.asyncDispose]() {
      const ended = [...left.keys()].map(takeOver)
      closed.abort(new UnavailableError('the node is closing'))
      await Promise.all(ended)
    },
  }
}
