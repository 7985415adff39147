import type { Clock } from '../../base/clock.ts'

/** Bytes per second, over all that use it. What came already is owed: it is paid off before more is let in. */
export interface Pacer {
  spend(bytes: number): void
  /** ms until what was spent is paid off; 0 where nothing is owed */
  waitMs(): number
}

/** One second's bytes may come at once. */
export function createPacer(clock: Pick<Clock, 'monotonic'>, bytesPerSecond: number): Pacer {
  let left = bytesPerSecond
  let at = clock.monotonic()
  const refill = () => {
    const now = clock.monotonic()
    left = Math.min(bytesPerSecond, left + ((now - at) / 1000) * bytesPerSecond)
    at = now
  }
  return {
    spend(bytes) {
      refill()
      left -= bytes
    },
    waitMs() {
      refill()
      return left >= 0 ? 0 : Math.ceil((-left / bytesPerSecond) * 1000)
    },
  }
}
