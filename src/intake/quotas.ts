import { type Clock, nowSeconds } from '../base/clock.ts'
import { keyOf, LruMap } from '../base/lru-map.ts'
import type { AnnouncementStore, VersionHeadStore } from '../journal/index.ts'
import { COUNTED_KEYS, UPDATES_PER_AUTHOR_PER_MINUTE } from './constants.ts'
import type { DropReason } from './events.ts'

/** What the network may cost this node. */
export type QuotaInit = {
  /** live services that one author may have here */
  servicesPerAuthor: number
  /** new services of one author by gossip; updates and stops do not count */
  newPerAuthorPerMinute: number
  /** new authors that one peer may bring by gossip */
  newAuthorsPerPeerPerMinute: number
  /** services and stops remembered */
  journalMax: number
  /** services that may wait for their verdict, and copies that may wait for one */
  queueMax: number
  /** ids remembered that a quota or a full queue ignored */
  deferredMax: number
}

/** gossip: pushed by a neighbour. api: handed in by someone. pulled: asked for by this node, at its own pace. */
export type Delivery = 'gossip' | 'api' | 'pulled'

/** A new service. `update`: it takes the slot of a live one. */
export type NewService = { author: Uint8Array; update: boolean; delivery: Delivery; from: string | undefined }

/** Keys are free: what one author, and one peer with many authors, may bring in. */
export interface Quotas {
  /** Asked before the signature is checked, so that a flood costs little; counts nothing. */
  check(service: NewService): DropReason | undefined
  /** Counts it: only what its author has signed, or any peer could use up an author's share. */
  count(service: NewService): void
}

export interface QuotaComponents {
  clock: Clock
  journal: { announcements: Pick<AnnouncementStore, 'countLive'>; heads: Pick<VersionHeadStore, 'knowsAuthor'> }
}

export function createQuotas({ clock, journal }: QuotaComponents, init: QuotaInit): Quotas {
  const fresh = perMinute(clock, init.newPerAuthorPerMinute)
  const updates = perMinute(clock, UPDATES_PER_AUTHOR_PER_MINUTE)
  const authors = perMinute(clock, init.newAuthorsPerPeerPerMinute)
  // an author's live services at most: counted in the journal once, then only as far as they may have grown
  const liveAtMost = new LruMap<string, number>(COUNTED_KEYS)
  const isFull = (key: string, author: Uint8Array) => {
    if ((liveAtMost.get(key) ?? init.servicesPerAuthor) < init.servicesPerAuthor) return false
    const live = journal.announcements.countLive(author, nowSeconds(clock))
    liveAtMost.set(key, live)
    return live >= init.servicesPerAuthor
  }
  return {
    check({ author, update, delivery, from }) {
      const key = keyOf(author)
      if (update) return delivery === 'gossip' && updates.full(key) ? 'author-updates' : undefined
      if (isFull(key, author)) return 'author-services'
      if (delivery === 'gossip' && fresh.full(key)) return 'author-rate'
      if (delivery === 'pulled' || !authors.full(from ?? delivery)) return undefined
      return journal.heads.knowsAuthor(author) ? undefined : 'peer-authors'
    },
    count({ author, update, delivery, from }) {
      const key = keyOf(author)
      const live = liveAtMost.get(key)
      if (!update && live !== undefined) liveAtMost.set(key, live + 1)
      if (delivery === 'gossip') (update ? updates : fresh).add(key)
      if (delivery !== 'pulled' && !update && !journal.heads.knowsAuthor(author)) authors.add(from ?? delivery)
    },
  }
}

/** Counts in minutes that begin with the first count. */
function perMinute(clock: Clock, max: number) {
  const minutes = new LruMap<string, { start: number; count: number }>(COUNTED_KEYS)
  const current = (key: string) => {
    const minute = minutes.get(key)
    return minute !== undefined && clock.monotonic() - minute.start < 60_000 ? minute : undefined
  }
  return {
    full: (key: string) => (current(key)?.count ?? 0) >= max,
    add(key: string) {
      const minute = current(key)
      if (minute === undefined) minutes.set(key, { start: clock.monotonic(), count: 1 })
      else minute.count++
    },
  }
}
