import type { Clock } from '../base/clock.ts'
import type { GateArrival } from './forwarding-rules.ts'

/** A copy whose sender has no answer yet: a verdict, or a better depth, may make it this node's emission. */
export type WaitingCopy = { readonly arrival: GateArrival; readonly answer: (word: 'accept' | 'ignore') => void }

/** The copies that wait, each answered once. */
export interface Waiting extends Disposable {
  /** Waits at most `ms`, then `ignore` is the answer. False where too many wait. */
  add(id: string, copy: WaitingCopy, ms: number): boolean
  of(id: string): readonly WaitingCopy[]
  readonly count: number
}

export function createWaiting({ clock }: { clock: Clock }, init: { max: number }): Waiting {
  const waiting = new Map<string, Set<WaitingCopy>>()
  let count = 0
  return {
    add(id, { arrival, answer }, ms) {
      if (count >= init.max) return false
      const copies = waiting.get(id) ?? new Set()
      waiting.set(id, copies)
      const copy: WaitingCopy = {
        arrival,
        answer(word) {
          if (!copies.delete(copy)) return
          if (copies.size === 0) waiting.delete(id)
          timer.cancel()
          count--
          answer(word)
        },
      }
      const timer = clock.after(ms, () => copy.answer('ignore'))
      copies.add(copy)
      count++
      return true
    },
    of: (id) => [...(waiting.get(id) ?? [])],
    get count() {
      return count
    },
    [Symbol.dispose]() {
      for (const copies of [...waiting.values()]) for (const { answer } of [...copies]) answer('ignore')
    },
  }
}
