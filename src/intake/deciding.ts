import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createQueue } from '../base/queue.ts'
import type { Book, Entry } from './book.ts'
import { DECISIONS_AT_ONCE } from './constants.ts'
import type { Decider, SignedService } from './index.ts'

/** The verdicts that are pending, and who waits for them. */
export interface Deciding extends Disposable {
  /** May another one be asked for? */
  readonly room: boolean
  /** How many more may be asked for. */
  readonly free: number
  has(id: string): boolean
  /** Asks. Only where there is room. */
  start(entry: Entry, service: SignedService): void
  /** Calls back once, when the verdict is in force (true) or the time is over (false); false at once where too many wait. */
  wait(id: string, ms: number, callback: (decided: boolean) => void): boolean
  idle(): Promise<void>
  readonly pending: number
  readonly waiting: number
  readonly failed: number
}

export interface DecidingComponents {
  clock: Clock
  log: Log
  book: Book
  decider: Decider
}

type Pending = { done: Promise<void>; readonly waiters: Set<(decided: boolean) => void> }

export function createDeciding(
  { clock, log, book, decider }: DecidingComponents,
  init: { max: number; onDecided: (entry: Entry, service: SignedService) => void },
): Deciding {
  const pending = new Map<string, Pending>()
  const queue = createQueue({ name: 'verdict', concurrency: DECISIONS_AT_ONCE, max: init.max })
  const ending = new AbortController()
  let waiting = 0
  let failed = 0

  async function decide(entry: Entry, service: SignedService): Promise<void> {
    if (ending.signal.aborted || entry.over) return
    const { redirect } = await decider.decide(service, entry.best, { signal: ending.signal })
    // an update travels where its predecessor does; that one was asked for before, so waiting for it ends
    const { follows } = entry
    if (follows !== undefined) await pending.get(follows)?.done
    if (ending.signal.aborted) return
    const travels = redirect || entry.own || (follows !== undefined && book.get(follows)?.redirect === true)
    book.setRedirect(entry, travels)
  }

  async function settle(entry: Entry, service: SignedService, waiters: Pending['waiters']): Promise<void> {
    using _ = book.hold(entry)
    try {
      await queue.add(() => decide(entry, service))
    } catch (error) {
      if (!ending.signal.aborted) {
        failed++
        log.warn('no verdict; it is asked for again later', { service: entry.id, reason: messageOf(error) })
      }
    }
    pending.delete(entry.id)
    // first those who wait: what they forward need not be published
    for (const tell of [...waiters]) tell(!ending.signal.aborted)
    if (!ending.signal.aborted) init.onDecided(entry, service)
  }

  return {
    get room() {
      return this.free > 0
    },
    get free() {
      return DECISIONS_AT_ONCE + init.max - pending.size
    },
    has: (id) => pending.has(id),
    start(entry, service) {
      const waiters: Pending['waiters'] = new Set()
      const one: Pending = { done: Promise.resolve(), waiters }
      pending.set(entry.id, one)
      one.done = settle(entry, service, waiters)
    },
    wait(id, ms, callback) {
      const waiters = pending.get(id)?.waiters
      if (waiters === undefined || waiting >= init.max) return false
      waiting++
      const tell = (decided: boolean) => {
        timer.cancel()
        waiting--
        waiters.delete(tell)
        callback(decided)
      }
      const timer = clock.after(ms, () => tell(false))
      waiters.add(tell)
      return true
    },
    idle: async () => {
      while (pending.size > 0) await Promise.all([...pending.values()].map(({ done }) => done))
    },
    get pending() {
      return pending.size
    },
    get waiting() {
      return waiting
    },
    get failed() {
      return failed
    },
    [Symbol.dispose]() {
      ending.abort(new Error('the node stops'))
      for (const { waiters } of pending.values()) for (const tell of [...waiters]) tell(false)
    },
  }
}
