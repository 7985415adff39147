import type { Clock } from '../../base/clock.ts'
import { SLOW_MS } from '../constants.ts'

/**
 * Which chunk is asked of whom. Every chunk is owed by one provider at a time, in order; only where nothing else is left
 * is a chunk that one owes for long also asked of another.
 */
export interface Plan {
  /** The next chunk for this provider; undefined where there is none now. `without`: chunks that it does not have. */
  take(peer: string, without: ReadonlySet<number>): number | undefined
  /** The provider will not bring it. */
  release(peer: string, index: number): void
  /** It is on the disk. */
  landed(index: number): void
  readonly done: boolean
  /** Resolves when there may be something to take, or all is done. */
  changed(options: { signal: AbortSignal }): Promise<void>
}

export function createPlan(clock: Clock, count: number, has: (index: number) => boolean): Plan {
  const free = Array.from({ length: count }, (_, index) => index).filter((index) => !has(index))
  const owed = new Map<number, Map<string, number>>()
  const waiters = new Set<() => void>()
  let left = free.length

  const wake = () => {
    for (const waiter of [...waiters]) waiter()
  }
  const owe = (peer: string, index: number) => {
    const debtors = owed.get(index) ?? new Map<string, number>()
    owed.set(index, debtors.set(peer, clock.monotonic()))
    return index
  }
  return {
    take(peer, without) {
      const place = free.findIndex((index) => !without.has(index))
      if (place >= 0) return owe(peer, free.splice(place, 1)[0] as number)
      for (const [index, debtors] of owed) {
        const [since] = debtors.values()
        const isSlow = since !== undefined && clock.monotonic() - since >= SLOW_MS
        if (isSlow && debtors.size === 1 && !debtors.has(peer) && !without.has(index)) return owe(peer, index)
      }
      return undefined
    },
    release(peer, index) {
      const debtors = owed.get(index)
      if (debtors?.delete(peer) !== true || debtors.size > 0) return
      owed.delete(index)
      free.unshift(index)
      wake()
    },
    landed(index) {
      if (!owed.delete(index)) return
      left--
      if (left === 0) wake()
    },
    get done() {
      return left === 0
    },
    changed({ signal }) {
      return new Promise((resolve, reject) => {
        const over = (settle: () => void) => () => {
          waiters.delete(woken)
          signal.removeEventListener('abort', stopped)
          timer.cancel()
          settle()
        }
        const woken = over(resolve)
        const stopped = over(() => reject(signal.reason))
        const timer = clock.after(SLOW_MS, () => woken())
        if (signal.aborted) return stopped()
        signal.addEventListener('abort', stopped)
        waiters.add(woken)
      })
    },
  }
}
