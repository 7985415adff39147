import { decodeSigned, type Signed } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { Reach, Ticket } from '../../protocols/redirection.ts'
import { LruMap } from '../base/lru-map.ts'
import type { AnnouncementRecord, AnnouncementStore } from '../journal/index.ts'
import { CACHED_ENTRIES } from './constants.ts'

/** One known announcement, without its body. Changed only through the cache; what changes is journalled first. */
export type Entry = {
  readonly id: string
  readonly cid: CID
  readonly kind: 'service' | 'stop'
  readonly reach: Reach
  readonly sig: Uint8Array
  readonly issued: number
  readonly expires: number
  readonly predecessor: string | undefined
  bestTicket: Ticket
  own: boolean
  redirect: boolean | undefined
  emitted: number | undefined
  ended: boolean
}

/** How far an announcement has travelled here. */
export type Forwarding = Pick<Entry, 'own' | 'redirect' | 'ended'> & { readonly bestDepth: number }

export type AnnouncementCacheStore = Pick<
  AnnouncementStore,
  'get' | 'has' | 'forwardingOf' | 'updateTicket' | 'setRedirect' | 'recordVerdict' | 'setEmitted' | 'setOwn'
>

/** What is known, in memory where it is hot and in the journal always. */
export interface AnnouncementCache {
  get(id: string): Entry | undefined
  has(id: string): boolean
  /** For those that look at many: nothing is decoded, and what is hot stays in memory. */
  forwardingOf(id: string): Forwarding | undefined
  /** What was journalled just now. */
  add(signed: Signed, record: AnnouncementRecord): Entry
  /** Keeps a copy's ticket where it is strictly better. */
  updateTicket(entry: Entry, ticket: Ticket): boolean
  setRedirect(entry: Entry, redirect: boolean): void
  /** A verdict, and the emission that follows from it. */
  recordVerdict(entry: Entry, redirect: boolean, emitted: number | undefined): void
  setEmitted(entry: Entry, depth: number | undefined): void
  setOwn(entry: Entry): void
  /** It was journalled just now that this one is over. */
  markEnded(id: string): void
  /** What was signed, and the signature; undefined where the journal has forgotten it meanwhile. */
  signed(entry: Entry): Pick<Signed, 'bytes' | 'sig'> | undefined
  /** While retained, an entry is the same object for everybody, however full the memory gets. */
  retain(entry: Entry): Disposable
  forget(ids: readonly string[]): void
}

export function createAnnouncementCache(store: AnnouncementCacheStore): AnnouncementCache {
  const cached = new LruMap<string, Entry>(CACHED_ENTRIES)
  const references = new Map<string, { entry: Entry; count: number }>()
  const keep = (entry: Entry) => {
    cached.set(entry.id, entry)
    return entry
  }
  const inMemory = (id: string) => references.get(id)?.entry ?? cached.get(id)
  return {
    get(id) {
      const known = inMemory(id)
      if (known !== undefined) return known
      const record = store.get(id)
      return record === undefined ? undefined : keep(entryOf(decodeSigned(record.body, record.sig), record))
    },
    has: (id) => inMemory(id) !== undefined || store.has(id),
    forwardingOf(id) {
      const known = inMemory(id)
      if (known !== undefined) {
        const { own, redirect, ended, bestTicket } = known
        return { own, redirect, ended, bestDepth: bestTicket.depth }
      }
      const record = store.forwardingOf(id)
      if (record === undefined) return undefined
      const { own, redirect, state, depth } = record
      return { own, redirect, ended: state !== 'live', bestDepth: depth }
    },
    add: (signed, record) => keep(entryOf(signed, record)),
    updateTicket(entry, ticket) {
      if (ticket.depth <= entry.bestTicket.depth) return false
      store.updateTicket(entry.id, ticket)
      entry.bestTicket = ticket
      return true
    },
    setRedirect(entry, redirect) {
      if (entry.redirect === redirect) return
      store.setRedirect(entry.id, redirect)
      entry.redirect = redirect
    },
    recordVerdict(entry, redirect, emitted) {
      store.recordVerdict(entry.id, redirect, emitted)
      entry.redirect = redirect
      entry.emitted = emitted
    },
    setEmitted(entry, depth) {
      store.setEmitted(entry.id, depth)
      entry.emitted = depth
    },
    setOwn(entry) {
      if (entry.own) return
      store.setOwn(entry.id)
      entry.own = true
      entry.redirect = true
    },
    markEnded(id) {
      const entry = inMemory(id)
      if (entry !== undefined) entry.ended = true
    },
    signed(entry) {
      const record = store.get(entry.id)
      return record === undefined ? undefined : { bytes: record.body, sig: record.sig }
    },
    retain(entry) {
      const retained = references.get(entry.id) ?? { entry, count: 0 }
      retained.count++
      references.set(entry.id, retained)
      return {
        [Symbol.dispose]() {
          retained.count--
          if (retained.count === 0) references.delete(entry.id)
        },
      }
    },
    forget(ids) {
      for (const id of ids) cached.delete(id)
    },
  }
}

function entryOf(signed: Signed, record: AnnouncementRecord): Entry {
  return {
    id: record.id,
    cid: signed.id,
    kind: signed.kind,
    reach: signed.body.reach,
    sig: record.sig,
    issued: record.issued,
    expires: record.expires,
    predecessor: record.predecessor,
    bestTicket: { depth: record.depth, proof: record.proof },
    own: record.own,
    redirect: record.redirect,
    emitted: record.emittedDepth,
    ended: record.state !== 'live',
  }
}
