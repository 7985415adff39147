import type { Clock } from '../../base/clock.ts'
import { REQUESTS_AHEAD, WINDOW_MS } from '../constants.ts'

/** The chunks that one provider owes, in the order of its answers, and how many they may be. */
export interface RequestWindow {
  readonly first: number | undefined
  readonly indexes: readonly number[]
  readonly isFull: boolean
  /** ms that the slower of two has taken: the last chunk that came, and the one that is due */
  readonly lagMs: number
  push(index: number): void
  /** The first one was answered; `came`: with its chunk. */
  shift(came: boolean): void
}

/** Few enough that each comes soon: a provider that is slow owes one, a fast one has the next ready when it has sent one. */
export function createRequestWindow(clock: Clock): RequestWindow {
  const owed: { index: number; at: number }[] = []
  let size = 1
  let lastMs = 0
  return {
    get first() {
      return owed[0]?.index
    },
    get indexes() {
      return owed.map(({ index }) => index)
    },
    get isFull() {
      return owed.length >= size
    },
    get lagMs() {
      return Math.max(lastMs, owed[0] === undefined ? 0 : clock.monotonic() - owed[0].at)
    },
    push(index) {
      owed.push({ index, at: clock.monotonic() })
    },
    shift(came) {
      const answered = owed.shift()
      if (!came || answered === undefined) return
      lastMs = clock.monotonic() - answered.at
      if (lastMs <= WINDOW_MS) size = Math.min(REQUESTS_AHEAD, size + 1)
      else if (lastMs > 2 * WINDOW_MS) size = Math.max(1, size - 1)
    },
  }
}
