import type { Clock } from './clock.ts'
import { LruMap } from './lru-map.ts'

/** A bucket of tokens: `burst` at once, refilled with `perSecond`. */
export function createTokenBucket(init: { burst: number; perSecond: number }, monotonicMs: () => number) {
  let tokens = init.burst
  let last = monotonicMs()
  return {
    take(count = 1): boolean {
      const now = monotonicMs()
      tokens = Math.min(init.burst, tokens + ((now - last) / 1000) * init.perSecond)
      last = now
      if (tokens < count) return false
      tokens -= count
      return true
    },
  }
}

/** Token buckets by name; the one that was longest not used is forgotten. */
export interface KeyedRateLimiter {
  /** False where there is not enough. */
  take(name: string, count?: number): boolean
  refund(name: string, count?: number): void
}

export function createKeyedRateLimiter(
  clock: Clock,
  init: { burst: number; perSecond: number },
  max: number,
): KeyedRateLimiter {
  const buckets = new LruMap<string, ReturnType<typeof createTokenBucket>>(max)
  const bucketOf = (name: string) => {
    const known = buckets.get(name)
    if (known !== undefined) return known
    const bucket = createTokenBucket(init, () => clock.monotonic())
    buckets.set(name, bucket)
    return bucket
  }
  return {
    take: (name, count = 1) => bucketOf(name).take(count),
    refund: (name, count = 1) => void bucketOf(name).take(-count),
  }
}
