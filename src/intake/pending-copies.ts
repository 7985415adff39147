import type { Clock } from '../base/clock.ts'
import type { IncomingCopy } from './forwarding-rules.ts'

/** A copy whose sender has no answer yet: a verdict, or a better depth, may make it this node's emission. */
export type PendingCopy = { readonly incoming: IncomingCopy; readonly answer: (decision: 'accept' | 'ignore') => void }

/** The copies that wait, each answered once. */
export interface PendingCopies extends Disposable {
  /** Waits at most `ms`, then `ignore` is the answer. False where too many wait. */
  add(id: string, copy: PendingCopy, ms: number): boolean
  of(id: string): readonly PendingCopy[]
  readonly count: number
}

export function createPendingCopies({ clock }: { clock: Clock }, init: { max: number }): PendingCopies {
  const waiting = new Map<string, Set<PendingCopy>>()
  let count = 0
  return {
    add(id, { incoming, answer }, ms) {
      if (count >= init.max) return false
      const copies = waiting.get(id) ?? new Set()
      waiting.set(id, copies)
      const copy: PendingCopy = {
        incoming,
        answer(decision) {
          if (!copies.delete(copy)) return
          if (copies.size === 0) waiting.delete(id)
          timer.cancel()
          count--
          answer(decision)
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
