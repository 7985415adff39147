import { raceSignal } from 'race-signal'
import type { Clock } from '../../base/clock.ts'
import { SLOW_MS } from '../constants.ts'

/**
 * Which chunk is requested from which provider. Every chunk is assigned to one provider at a time, in order; only where
 * nothing else is left is a slow chunk also assigned to another.
 */
export interface ChunkPicker {
  /** The next chunk for this provider; undefined where there is none now. `without`: chunks that it does not have. */
  next(peer: string, without: ReadonlySet<number>): number | undefined
  /** The provider will not bring it. */
  release(peer: string, index: number): void
  /** It is on the disk. */
  completed(index: number): void
  readonly done: boolean
  /** Resolves when there may be something to take, or all is done. */
  waitForChange(options: { signal: AbortSignal }): Promise<void>
}

export function createChunkPicker(clock: Clock, count: number, has: (index: number) => boolean): ChunkPicker {
  const free = Array.from({ length: count }, (_, index) => index).filter((index) => !has(index))
  const inFlight = new Map<number, Map<string, number>>()
  const waiters = new Set<() => void>()
  let left = free.length

  const wake = () => {
    for (const waiter of [...waiters]) waiter()
  }
  const assign = (peer: string, index: number) => {
    const assignees = inFlight.get(index) ?? new Map<string, number>()
    inFlight.set(index, assignees.set(peer, clock.monotonic()))
    return index
  }
  return {
    next(peer, without) {
      const place = free.findIndex((index) => !without.has(index))
      if (place >= 0) return assign(peer, free.splice(place, 1)[0] as number)
      for (const [index, assignees] of inFlight) {
        const [since] = assignees.values()
        const isSlow = since !== undefined && clock.monotonic() - since >= SLOW_MS
        if (isSlow && assignees.size === 1 && !assignees.has(peer) && !without.has(index)) return assign(peer, index)
      }
      return undefined
    },
    release(peer, index) {
      const assignees = inFlight.get(index)
      if (assignees?.delete(peer) !== true || assignees.size > 0) return
      inFlight.delete(index)
      free.unshift(index)
      wake()
    },
    completed(index) {
      if (!inFlight.delete(index)) return
      left--
      if (left === 0) wake()
    },
    get done() {
      return left === 0
    },
    async waitForChange({ signal }) {
      const { promise, resolve } = Promise.withResolvers<void>()
      using _timer = clock.after(SLOW_MS, resolve)
      waiters.add(resolve)
      try {
        await raceSignal(promise, signal)
      } finally {
        waiters.delete(resolve)
      }
    },
  }
}
