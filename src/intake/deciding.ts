import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createQueue } from '../base/queue.ts'
import type { Book, Entry } from './book.ts'
import { DECISIONS_AT_ONCE } from './constants.ts'
import type { GateArrival } from './gate.ts'
import type { Decider, SignedService } from './index.ts'

/** A copy that would be this node's emission, should the verdict say so. */
export type Waiting = { readonly arrival: GateArrival; readonly answer: (word: 'accept' | 'ignore') => void }

/** The verdicts that are pending, and the copies that wait for them. */
export interface Deciding extends Disposable {
  /** May another one be asked for? */
  readonly room: boolean
  /** How many more may be asked for. */
  readonly free: number
  has(id: string): boolean
  /** Asks. Only where there is room. */
  start(entry: Entry, service: SignedService): void
  /** Answers once, by the verdict or, after `ms`, with `ignore`. False where too many wait. */
  wait(id: string, ms: number, waiting: Waiting): boolean
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
  /** Journals the verdict and sends what follows from it, by a waiting copy where one fits. */
  onVerdict(entry: Entry, service: SignedService, redirect: boolean, waiting: Iterable<Waiting>): void
}

type Pending = { done: Promise<void>; readonly waiting: Set<Waiting> }

export function createDeciding(components: DecidingComponents, init: { max: number }): Deciding {
  const { clock, log, book, decider, onVerdict } = components
  const pending = new Map<string, Pending>()
  const queue = createQueue({ name: 'verdict', concurrency: DECISIONS_AT_ONCE, max: init.max })
  const ending = new AbortController()
  let waiting = 0
  let failed = 0

  async function decide(entry: Entry, service: SignedService, copies: Iterable<Waiting>): Promise<void> {
    if (ending.signal.aborted || entry.over) return
    const { redirect } = await decider.decide(service, entry.best, { signal: ending.signal })
    // an update travels where its predecessor does; that one was asked for before, so waiting for it ends
    const { follows } = entry
    if (follows !== undefined) await pending.get(follows)?.done
    if (ending.signal.aborted) return
    const travels = redirect || entry.own || (follows !== undefined && book.get(follows)?.redirect === true)
    onVerdict(entry, service, travels, copies)
  }

  async function settle(entry: Entry, service: SignedService, copies: Set<Waiting>): Promise<void> {
    using _ = book.hold(entry)
    try {
      await queue.add(() => decide(entry, service, copies))
    } catch (error) {
      if (!ending.signal.aborted) {
        failed++
        log.warn('no verdict; it is asked for again later', { service: entry.id, reason: messageOf(error) })
      }
    }
    pending.delete(entry.id)
    for (const { answer } of [...copies]) answer('ignore')
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
      const one: Pending = { done: Promise.resolve(), waiting: new Set() }
      pending.set(entry.id, one)
      one.done = settle(entry, service, one.waiting)
    },
    wait(id, ms, { arrival, answer }) {
      const copies = pending.get(id)?.waiting
      if (copies === undefined || waiting >= init.max) return false
      waiting++
      const copy: Waiting = {
        arrival,
        answer(word) {
          if (!copies.delete(copy)) return
          timer.cancel()
          waiting--
          answer(word)
        },
      }
      const timer = clock.after(ms, () => copy.answer('ignore'))
      copies.add(copy)
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
      for (const { waiting: copies } of pending.values()) for (const { answer } of [...copies]) answer('ignore')
    },
  }
}
