import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { AnnouncementCache, Entry } from './announcement-cache.ts'
import { MAX_DECISIONS } from './constants.ts'
import type { Decider, SignedService } from './types.ts'

/** The verdicts that are pending. */
export interface DecisionQueue extends Disposable {
  /** May another one be asked for? */
  readonly hasCapacity: boolean
  /** How many more may be asked for. */
  readonly free: number
  has(id: string): boolean
  /** Asks. Only if the queue has capacity. */
  start(entry: Entry, service: SignedService): void
  idle(): Promise<void>
  readonly pending: number
  readonly failed: number
}

export interface DecisionQueueComponents {
  log: Log
  cache: AnnouncementCache
  decider: Decider
  /** Journals the verdict and sends what follows from it. */
  onVerdict(entry: Entry, service: SignedService, redirect: boolean): void
  /** No verdict is pending any more, whether one came or not. */
  onSettled(entry: Entry): void
}

export function createDecisionQueue(components: DecisionQueueComponents, init: { max: number }): DecisionQueue {
  const { log, cache, decider, onVerdict, onSettled } = components
  const pending = new Map<string, { done: Promise<void> }>()
  const queue = createWorkQueue({ name: 'verdict', concurrency: MAX_DECISIONS, max: init.max })
  const ending = new AbortController()
  let failed = 0

  async function decide(entry: Entry, service: SignedService): Promise<void> {
    if (ending.signal.aborted || entry.ended) return
    const { redirect } = await decider.decide(service, entry.bestTicket, { signal: ending.signal })
    // an update travels where its predecessor does; that one was asked for before, so waiting for it ends
    const { predecessor } = entry
    if (predecessor !== undefined) await pending.get(predecessor)?.done
    if (ending.signal.aborted) return
    const travels = redirect || entry.own || (predecessor !== undefined && cache.get(predecessor)?.redirect === true)
    onVerdict(entry, service, travels)
  }

  async function settle(entry: Entry, service: SignedService): Promise<void> {
    using _ = cache.retain(entry)
    try {
      await queue.add(() => decide(entry, service))
    } catch (error) {
      if (!ending.signal.aborted) {
        failed++
        log.warn('the runner gave no verdict; it is asked again later', { service: entry.id, reason: messageOf(error) })
      }
    }
    pending.delete(entry.id)
    onSettled(entry)
  }

  return {
    get hasCapacity() {
      return this.free > 0
    },
    get free() {
      return MAX_DECISIONS + init.max - pending.size
    },
    has: (id) => pending.has(id),
    start(entry, service) {
      const one = { done: Promise.resolve() }
      pending.set(entry.id, one)
      one.done = settle(entry, service)
    },
    idle: async () => {
      while (pending.size > 0) await Promise.all([...pending.values()].map(({ done }) => done))
    },
    get pending() {
      return pending.size
    },
    get failed() {
      return failed
    },
    [Symbol.dispose]() {
      ending.abort(new Error('the node stops'))
    },
  }
}
