import type { Clock } from '../../base/clock.ts'

/** Starts wait here for their turn, the first that came first. */
export interface StartQueue {
  /**
   * Resolves when the start may begin; dispose the answer when it is over. Rejects with the signal's reason, which takes
   * it out of the queue. `onWait`: called before a wait; where it throws, nothing waits.
   */
  enter(executor: string, options: { signal: AbortSignal; onWait?: () => void }): Promise<Disposable>
}

type StartQueueInit = {
  /** starts at once */
  readonly atOnce: number
  /** a start that takes longer is overdue: it goes on, and the next one may begin */
  readonly overdueMs: number
  /** an executor with so many overdue starts begins no other before one of them is over */
  readonly maxOverdue: number
}

type Start = { readonly executor: string; overdue: boolean }
type Waiting = { readonly executor: string; begin(): void }

/** Bounds the starts at once. An executor that hangs does not keep the others from starting. */
export function createStartQueue(clock: Clock, { atOnce, overdueMs, maxOverdue }: StartQueueInit): StartQueue {
  const starts = new Set<Start>()
  const waiting: Waiting[] = []

  function mayBegin(executor: string): boolean {
    const overdue = [...starts].filter((start) => start.overdue)
    if (starts.size - overdue.length >= atOnce) return false
    return overdue.filter((start) => start.executor === executor).length < maxOverdue
  }

  function beginNext(): void {
    for (;;) {
      const index = waiting.findIndex(({ executor }) => mayBegin(executor))
      if (index === -1) return
      waiting.splice(index, 1)[0]?.begin()
    }
  }

  function begin(executor: string): Disposable {
    const start: Start = { executor, overdue: false }
    starts.add(start)
    const timer = clock.after(overdueMs, () => {
      start.overdue = true
      beginNext()
    })
    return {
      [Symbol.dispose]() {
        timer.cancel()
        if (starts.delete(start)) beginNext()
      },
    }
  }

  function wait(executor: string, signal: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        reject(signal.reason)
      }
      const entry: Waiting = {
        executor,
        begin() {
          signal.removeEventListener('abort', leave)
          resolve(begin(executor))
        },
      }
      waiting.push(entry)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    async enter(executor, { signal, onWait }) {
      signal.throwIfAborted()
      // then none of the same executor waits: it would have begun
      if (mayBegin(executor)) return begin(executor)
      onWait?.()
      return wait(executor, signal)
    },
  }
}
