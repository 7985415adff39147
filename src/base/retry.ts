import { type Clock, sleep } from './clock.ts'
import { isRetryable } from './errors.ts'
import type { Rng } from './rng.ts'

export type Backoff = { firstMs: number; maxMs: number; factor?: number }

/** The wait before attempt `n` (0 = after the first failure): exponential, bounded, with full jitter in its upper half. */
export function backoffMs(attempt: number, { firstMs, maxMs, factor = 2 }: Backoff, rng: Rng): number {
  const full = Math.min(maxMs, firstMs * factor ** Math.min(attempt, 64))
  return full / 2 + (rng.fraction() * full) / 2
}

/** Runs `work` until it succeeds, says that retrying is useless, or `attempts` are spent. */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  options: { clock: Clock; rng: Rng; backoff: Backoff; attempts: number; signal?: AbortSignal | undefined },
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt + 1 >= options.attempts || !isRetryable(error)) throw error
      await sleep(options.clock, backoffMs(attempt, options.backoff, options.rng), { signal: options.signal })
    }
  }
}
