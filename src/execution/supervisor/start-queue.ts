import type { Clock } from '../../base/clock.ts'

/** Starts wait here for their turn, the first that came first. */
export interface StartQueue {
  /**
   * Resolves when the start may begin; dispose the answer when it is over. Rejects with the signal's reason, which takes
   * it out of the queue. `onWait`: called before a wait; where it throws, nothing waits.
   */
  enter(of: StartOf, options: { signal: AbortSignal; onWait?: () => void }): Promise<Disposable>
}

type StartOf = { readonly executor: string; readonly author: string }

type StartQueueInit = {
  /** starts at once */
  readonly atOnce: number
  /** a start that takes longer is overdue: it goes on, and the next one may begin */
  readonly overdueMs: number
  /** an executor with so many overdue starts begins no other before one of them is over */
  readonly maxOverdue: number
  /** the same for the starts of one author with it */
  readonly maxOverdueOfAuthor: number
}

type Start = StartOf & { overdue: boolean }
type Waiting = StartOf & { begin(): void }

/** Bounds the starts at once. An executor that hangs, or an author whose starts hang, does not keep the others from starting. */
export function createStartQueue(clock: Clock, init: StartQueueInit): StartQueue {
  const { atOnce, overdueMs, maxOverdue, maxOverdueOfAuthor } = init
  const starts = new Set<Start>()
  const waiting: Waiting[] = []

  function mayBegin({ executor, author }: StartOf): boolean {
    const overdue = [...starts].filter((start) => start.overdue)
    if (starts.size - overdue.length >= atOnce) return false
    const ofExecutor = overdue.filter((start) => start.executor === executor)
    const ofAuthor = ofExecutor.filter((start) => start.author === author)
    return ofExecutor.length < maxOverdue && ofAuthor.length < maxOverdueOfAuthor
  }

  function beginNext(): void {
    for (;;) {
      const index = waiting.findIndex(mayBegin)
      if (index === -1) return
      waiting.splice(index, 1)[0]?.begin()
    }
  }

  function begin({ executor, author }: StartOf): Disposable {
    const start: Start = { executor, author, overdue: false }
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

  function wait(of: StartOf, signal: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        reject(signal.reason)
      }
      const entry: Waiting = {
        ...of,
        begin() {
          signal.removeEventListener('abort', leave)
          resolve(begin(of))
        },
      }
      waiting.push(entry)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    async enter(of, { signal, onWait }) {
      signal.throwIfAborted()
      // then none of the same author waits for the same executor: it would have begun
      if (mayBegin(of)) return begin(of)
      onWait?.()
      return wait(of, signal)
    },
  }
}
