import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { backoffMs } from '../base/retry.ts'
import type { Rng } from '../base/rng.ts'
import { createKeyedRateLimiter } from '../base/token-bucket.ts'
import { createWorkQueue } from '../base/work-queue.ts'

/** Services with a receipt on its way or waiting; beyond, the oldest is dropped (status can still be asked). */
const MAX_WAITING = 1024
const CONCURRENCY = 8
/** Of one service: so many receipts at once, then one a minute. A receipt that is held back is replaced by the next: the newest wins. */
const BURST = 8
const PER_SECOND = 1 / 60
const HELD_BACK_MS = 5_000
/** A publisher that is away is tried again for a day. */
const AWAY_BACKOFF = { firstMs: 2_000, maxMs: 10 * 60_000 }
const PATIENCE_MS = 24 * 3600 * 1000

export type Posting = {
  /** The publisher's peer ids: one that connects receives what waits for it. */
  readonly peers: readonly string[]
  /** It is tried again where it did not arrive. */
  readonly again: boolean
  /** Throws if no peer took it. */
  deliver(): Promise<void>
}

/**
 * What is on its way to publishers: of each service one receipt after the other, and of those that wait only the newest,
 * because a receipt says what is, and not what was.
 */
export interface Outbox {
  post(service: string, posting: Posting): void
  /** This peer is there now. */
  connected(peer: string): void
}

type Entry = { next: Posting | undefined; busy: boolean; attempt: number; until: number; timer: Disposable | undefined }

export function createOutbox({ clock, rng, log }: { clock: Clock; rng: Rng; log: Log }, closing: AbortSignal): Outbox {
  const queue = createWorkQueue({ name: 'receipt', concurrency: CONCURRENCY, max: MAX_WAITING })
  const entries = new Map<string, Entry>()
  const deliveries = createKeyedRateLimiter(clock, { burst: BURST, perSecond: PER_SECOND }, MAX_WAITING)

  function later(service: string, entry: Entry, ms: number): void {
    entry.timer?.[Symbol.dispose]()
    entry.timer = clock.after(ms, () => go(service, entry))
  }

  function go(service: string, entry: Entry): void {
    const posting = entry.next
    if (closing.aborted || entry.busy || posting === undefined) return
    if (entry.attempt === 0 && !deliveries.take(service)) {
      later(service, entry, HELD_BACK_MS)
      return
    }
    entry.timer?.[Symbol.dispose]()
    entry.timer = undefined
    entry.next = undefined
    entry.busy = true
    void send(service, entry, posting)
  }

  async function send(service: string, entry: Entry, posting: Posting): Promise<void> {
    try {
      await queue.add(() => posting.deliver())
      entry.attempt = 0
    } catch (error) {
      log.debug('a receipt did not reach its publisher', { service, reason: messageOf(error) })
      if (posting.again && clock.monotonic() < entry.until) entry.next ??= posting
      entry.attempt++
    }
    entry.busy = false
    if (entry.next === undefined) entries.delete(service)
    else if (entry.attempt === 0) go(service, entry)
    else later(service, entry, backoffMs(entry.attempt - 1, AWAY_BACKOFF, rng))
  }

  return {
    post(service, posting) {
      const known = entries.get(service)
      const entry = known ?? { next: undefined, busy: false, attempt: 0, until: 0, timer: undefined }
      entry.next = posting
      entry.until = clock.monotonic() + PATIENCE_MS
      if (known === undefined) {
        const oldest = entries.size >= MAX_WAITING ? entries.keys().next().value : undefined
        if (oldest !== undefined) {
          entries.get(oldest)?.timer?.[Symbol.dispose]()
          entries.delete(oldest)
        }
        entries.set(service, entry)
      }
      if (entry.timer === undefined || entry.attempt > 0) go(service, entry)
    },
    connected(peer) {
      for (const [service, entry] of entries) {
        if (entry.attempt > 0 && entry.next?.peers.includes(peer) === true) go(service, entry)
      }
    },
  }
}
