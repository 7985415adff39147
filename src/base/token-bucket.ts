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
