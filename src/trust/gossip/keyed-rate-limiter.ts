import type { Clock } from '../../base/clock.ts'
import { BoundedMap, createBucket } from '../../base/queue.ts'

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
  const buckets = new BoundedMap<string, ReturnType<typeof createBucket>>(max)
  const bucketOf = (name: string) => {
    const known = buckets.get(name)
    if (known !== undefined) return known
    const bucket = createBucket(init, () => clock.monotonic())
    buckets.set(name, bucket)
    return bucket
  }
  return {
    take: (name, count = 1) => bucketOf(name).take(count),
    refund: (name, count = 1) => void bucketOf(name).take(-count),
  }
}
