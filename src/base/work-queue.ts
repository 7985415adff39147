// Ours, not a library: it refuses work beyond a bound, and counts what it refused.

import { UnavailableError } from './errors.ts'

export class QueueFullError extends UnavailableError {
  override readonly name = 'QueueFullError'
}

/** Work that waits its turn: at most `concurrency` at once, at most `max` waiting; what is over is dropped and counted. */
export interface WorkQueue {
  /** Rejects with a QueueFullError when the queue is full. */
  add<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>
  readonly waiting: number
  readonly running: number
  readonly dropped: number
}

export function createWorkQueue(init: { name: string; concurrency: number; max: number }): WorkQueue {
  const waiting: (() => void)[] = []
  const idlers: (() => void)[] = []
  let running = 0
  let dropped = 0
  const done = () => {
    // the longest waiter takes over the slot: it is never free in between, for a new caller or for `idle`
    const next = waiting.shift()
    if (next !== undefined) return next()
    running--
    if (running === 0) for (const resolve of idlers.splice(0)) resolve()
  }
  return {
    async add(work) {
      if (running >= init.concurrency) {
        if (waiting.length >= init.max) {
          dropped++
          throw new QueueFullError(`the ${init.name} queue is full (${init.max} waiting)`)
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else {
        running++
      }
      try {
        return await work()
      } finally {
        done()
      }
    },
    idle: () =>
      running === 0 && waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve)),
    get waiting() {
      return waiting.length
    },
    get running() {
      return running
    },
    get dropped() {
      return dropped
    },
  }
}
