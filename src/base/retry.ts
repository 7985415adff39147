import { type Clock, sleep } from './clock.ts'
import { isRetryable } from './errors.ts'
import type { Rng } from './rng.ts'

export type Backoff = { firstMs: number; maxMs: number; factor?: number }

/** The wait before attempt `n` (0 = after the first failure): exponential, bounded, with full jitter in its upper half. */
export function backoffMs(attempt: number, { firstMs, maxMs, factor = 2 }: Backoff, rng: Rng): number {
  const full = Math.min(maxMs, firstMs * factor ** Math.min(attempt, 64))
  return full / 2 + (rng.fraction() * full) / 2
}

export type RetryOptions = {
  readonly clock: Clock
  readonly rng: Rng
  readonly backoff: Backoff
  /** Default: as many as it takes. */
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Can another attempt help? Default: as the error says. */
  readonly canRetry?: ((error: unknown) => boolean) | undefined
  /** Called after each failure that is followed by another attempt, before the wait. */
  readonly onRetry?: ((error: unknown) => void | Promise<void>) | undefined
}

/** Runs `work` until it succeeds, another attempt cannot help, the attempts are spent, or the signal aborts. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, rng, backoff, attempts = Number.POSITIVE_INFINITY, signal, canRetry = isRetryable } = options
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt + 1 >= attempts || !canRetry(error)) throw error
      signal?.throwIfAborted()
      await options.onRetry?.(error)
      await sleep(clock, backoffMs(attempt, backoff, rng), { signal })
    }
  }
}
