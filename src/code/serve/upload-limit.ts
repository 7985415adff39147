import type { Clock } from '../../base/clock.ts'
import { MAX_STREAMS, MIN_UPLOADS } from '../constants.ts'

/** How many chunks are sent at once. */
export interface UploadLimit {
  readonly current: number
  /** So many bytes have left. `more`: others wait, so that the limit was what held them up. */
  sent(bytes: number, more: boolean): void
}

/** Chunks that a limit is measured with, for each that is sent at once: the first of them began under the one before. */
const SAMPLE = 3
/** More at once must carry so much more: otherwise the way out is full already. */
const WORTHWHILE = 1.15
/** Measurements before another limit is tried again. */
const PAUSE = 4

/**
 * Finds the fewest chunks at once that fill the way out, by trial: more is kept where more bytes leave, less where no fewer
 * do. Where two peers can take all that this node can send, that is two; where peers are slower than this node, many.
 */
export function createUploadLimit(clock: Clock): UploadLimit {
  const kept = { limit: MIN_UPLOADS, rate: 0 }
  let current = MIN_UPLOADS
  let step: 1.5 | 0.66 = 1.5
  let pause = 1
  let [count, bytes, since] = [0, 0, clock.monotonic()]

  function restart(): void {
    ;[count, bytes, since] = [0, 0, clock.monotonic()]
  }

  function turn(): void {
    step = step === 1.5 ? 0.66 : 1.5
    pause = PAUSE
    current = kept.limit
  }

  function judge(rate: number): void {
    if (current === kept.limit) {
      kept.rate = rate
      if (pause-- > 0) return
    } else {
      const isBetter = current > kept.limit ? rate > kept.rate * WORTHWHILE : rate * WORTHWHILE > kept.rate
      if (!isBetter) {
        turn()
        return
      }
      Object.assign(kept, { limit: current, rate })
    }
    const next = Math.min(MAX_STREAMS, step > 1 ? Math.ceil(kept.limit * step) : Math.floor(kept.limit * step))
    if (next < MIN_UPLOADS || next === kept.limit) turn()
    else current = next
  }

  return {
    get current() {
      return current
    },
    sent(sentBytes, more) {
      // with free places the limit is not what is measured
      if (!more) return restart()
      count++
      bytes += sentBytes
      if (count < SAMPLE * current) return
      judge(bytes / Math.max(1, clock.monotonic() - since))
      restart()
    },
  }
}
