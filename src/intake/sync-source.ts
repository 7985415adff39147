import { type Clock, nowSeconds } from '../base/clock.ts'
import type { AnnouncementStore } from '../journal/index.ts'
import type { Book, Entry } from './announcement-cache.ts'
import type { Unwanted } from './denylist.ts'
import type { Emitting } from './forwarder.ts'
import { emission, type GateState } from './forwarding-rules.ts'
import type { IntakeSync, Outcome } from './types.ts'

export interface SourceComponents {
  clock: Clock
  announcements: Pick<AnnouncementStore, 'shared'>
  book: Book
  emitting: Emitting
  unwanted: Unwanted
  stateOf(entry: Entry): GateState
  redirectionDepth(): number
  submit(bytes: Uint8Array, via: 'sync' | 'tell', from: string): Promise<Outcome>
}

/** Sync's side of intake: nobody is handed what this node does not redirect. */
export function createSource(components: SourceComponents): IntakeSync {
  const { clock, announcements, book, emitting, unwanted, stateOf, redirectionDepth, submit } = components
  return {
    list(after, max) {
      const limit = redirectionDepth()
      const items: ReturnType<IntakeSync['list']> = []
      let cursor = after?.toString()
      // some of a page may be too deep to travel on: a short answer would look like the end of the list
      for (;;) {
        const page = announcements.shared(cursor, nowSeconds(clock), max)
        for (const { id, depth, own } of page) {
          const carried = emission({ best: depth, own, limit })
          const entry = carried === undefined ? undefined : book.get(id)
          if (carried !== undefined && entry !== undefined) items.push([entry.cid, carried])
          if (items.length === max) return items
        }
        if (page.length < max) return items
        cursor = page.at(-1)?.id
      }
    },
    get(id) {
      const entry = book.get(id.toString())
      if (entry?.redirect !== true || entry.over || entry.expires <= nowSeconds(clock)) return undefined
      return emitting.bytes(entry, stateOf(entry))
    },
    wants: (items) =>
      items
        .filter(([cid, depth]) => {
          const id = cid.toString()
          const entry = book.get(id)
          if (entry === undefined) return !unwanted.has(id)
          // a better depth is worth having only where it makes this node's own emission better
          if (entry.over || entry.own || entry.redirect === false) return false
          return Math.min(depth, redirectionDepth()) > Math.min(entry.best.depth, redirectionDepth())
        })
        .map(([cid]) => cid),
    async arrive(bytes, from, via) {
      const outcome = await submit(bytes, via, from)
      if (outcome.outcome === 'refused' && outcome.error !== undefined) throw outcome.error
    },
  }
}
