import type { Clock } from './clock.ts'
import { LruMap } from './lru-map.ts'

/** A bucket of tokens. */
export interface TokenBucket {
  /** Takes them where there are as many; else none, and false. */
  take(count?: number): boolean
  /** Takes them in any case: what is missing is owed, and paid off before there are others. */
  spend(count: number): void
  /** ms until `count` can be taken, with a fraction; 0 where they can, and, for no count, where nothing is owed */
  waitMs(count?: number): number
}

/** `burst` at once, refilled with `perSecond`. */
export function createTokenBucket(init: { burst: number; perSecond: number }, monotonicMs: () => number): TokenBucket {
  let tokens = init.burst
  let last = monotonicMs()
  const refill = () => {
    const now = monotonicMs()
    tokens = Math.min(init.burst, tokens + ((now - last) / 1000) * init.perSecond)
    last = now
  }
  return {
    take(count = 1) {
      refill()
      if (tokens < count) return false
      tokens -= count
      return true
    },
    spend(count) {
      refill()
      tokens -= count
    },
    waitMs(count = 0) {
      refill()
      return tokens >= count ? 0 : ((count - tokens) / init.perSecond) * 1000
    },
  }
}

/** Token buckets by name; the one that was longest not used is forgotten. */
export interface KeyedRateLimiter {
  /** False where there is not enough. */
  take(name: string, count?: number): boolean
  refund(name: string, count?: number): void
  /** ms until `count` can be taken; 0 where they can */
  waitMs(name: string, count?: number): number
}

export function createKeyedRateLimiter(
  clock: Pick<Clock, 'monotonic'>,
  init: { burst: number; perSecond: number },
  max: number,
): KeyedRateLimiter {
  const buckets = new LruMap<string, TokenBucket>(max)
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
    waitMs: (name, count = 1) => bucketOf(name).waitMs(count),
  }
}
