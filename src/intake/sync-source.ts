import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import type { AnnouncementStore } from '../journal/index.ts'
import type { AnnouncementCache, Entry } from './announcement-cache.ts'
import type { Denylist } from './denylist.ts'
import type { Forwarder } from './forwarder.ts'
import { emissionDepth, type ForwardState } from './forwarding-rules.ts'
import type { IntakeSync, Outcome } from './types.ts'

export interface SyncSourceComponents {
  clock: Clock
  announcements: Pick<AnnouncementStore, 'shared'>
  cache: AnnouncementCache
  forwarder: Forwarder
  denylist: Denylist
  stateOf(entry: Entry): ForwardState
  redirectionDepth(): number
  submit(bytes: Uint8Array, via: 'sync' | 'tell', from: string): Promise<Outcome>
}

/** Sync's side of intake: peers get only what this node redirects. */
export function createSyncSource(components: SyncSourceComponents): IntakeSync {
  const { clock, announcements, cache, forwarder, denylist, stateOf, redirectionDepth, submit } = components
  return {
    list(after, max) {
      const limit = redirectionDepth()
      const items: ReturnType<IntakeSync['list']> = []
      let cursor = after?.toString()
      // some of a page may be too deep to travel on: a short answer would look like the end of the list
      for (;;) {
        const page = announcements.shared(cursor, nowSeconds(clock), max)
        for (const { id, depth, own } of page) {
          const carried = emissionDepth({ best: depth, own, limit })
          if (carried !== undefined) items.push([parseCid(id), carried])
          if (items.length === max) return items
        }
        if (page.length < max) return items
        cursor = page.at(-1)?.id
      }
    },
    get(id) {
      const entry = cache.get(id.toString())
      if (entry?.redirect !== true || entry.ended || entry.expires <= nowSeconds(clock)) return undefined
      return forwarder.bytes(entry, stateOf(entry))
    },
    wants: (items) =>
      items
        .filter(([cid, depth]) => {
          const id = cid.toString()
          const known = cache.forwardingOf(id)
          if (known === undefined) return !denylist.has(id)
          // a better depth is worth having only where it makes this node's own emission better
          if (known.ended || known.own || known.redirect === false) return false
          return Math.min(depth, redirectionDepth()) > Math.min(known.bestDepth, redirectionDepth())
        })
        .map(([cid]) => cid),
    async arrive(bytes, from, via) {
      const outcome = await submit(bytes, via, from)
      if (outcome.outcome === 'refused' && outcome.error !== undefined) throw outcome.error
    },
  }
}
