import { decodeSigned, type Signed } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { Reach, Ticket } from '../../protocols/redirection.ts'
import { LruMap } from '../base/lru-map.ts'
import type { AnnouncementRecord, AnnouncementStore } from '../journal/index.ts'
import { CACHED_ENTRIES } from './constants.ts'

/** One known announcement, without its body. Changed only through the book; what changes is journalled first. */
export type Entry = {
  readonly id: string
  readonly cid: CID
  readonly kind: 'service' | 'stop'
  readonly reach: Reach
  readonly sig: Uint8Array
  readonly issued: number
  readonly expires: number
  readonly follows: string | undefined
  best: Ticket
  own: boolean
  redirect: boolean | undefined
  emitted: number | undefined
  over: boolean
}

export type BookStore = Pick<
  AnnouncementStore,
  'get' | 'has' | 'raise' | 'setRedirect' | 'settle' | 'setEmitted' | 'setOwn'
>

/** What is known, in memory where it is hot and in the journal always. */
export interface Book {
  get(id: string): Entry | undefined
  has(id: string): boolean
  /** What was journalled just now. */
  add(signed: Signed, record: AnnouncementRecord): Entry
  /** Keeps a copy's ticket where it is strictly better. */
  raise(entry: Entry, ticket: Ticket): boolean
  setRedirect(entry: Entry, redirect: boolean): void
  /** A verdict, and the emission that follows from it. */
  settle(entry: Entry, redirect: boolean, emitted: number | undefined): void
  setEmitted(entry: Entry, depth: number | undefined): void
  setOwn(entry: Entry): void
  /** It was journalled just now that this one is over. */
  ended(id: string): void
  /** What was signed, and the signature; undefined where the journal has forgotten it meanwhile. */
  signed(entry: Entry): Pick<Signed, 'bytes' | 'sig'> | undefined
  /** While held, an entry is the same object for everybody, however full the memory gets. */
  hold(entry: Entry): Disposable
  forget(ids: readonly string[]): void
}

export function createBook(store: BookStore): Book {
  const cached = new LruMap<string, Entry>(CACHED_ENTRIES)
  const held = new Map<string, { entry: Entry; count: number }>()
  const keep = (entry: Entry) => {
    cached.set(entry.id, entry)
    return entry
  }
  const inMemory = (id: string) => held.get(id)?.entry ?? cached.get(id)
  return {
    get(id) {
      const known = inMemory(id)
      if (known !== undefined) return known
      const record = store.get(id)
      return record === undefined ? undefined : keep(entryOf(decodeSigned(record.body, record.sig), record))
    },
    has: (id) => inMemory(id) !== undefined || store.has(id),
    add: (signed, record) => keep(entryOf(signed, record)),
    raise(entry, ticket) {
      if (ticket.depth <= entry.best.depth) return false
      store.raise(entry.id, ticket)
      entry.best = ticket
      return true
    },
    setRedirect(entry, redirect) {
      if (entry.redirect === redirect) return
      store.setRedirect(entry.id, redirect)
      entry.redirect = redirect
    },
    settle(entry, redirect, emitted) {
      store.settle(entry.id, redirect, emitted)
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
    ended(id) {
      const entry = inMemory(id)
      if (entry !== undefined) entry.over = true
    },
    signed(entry) {
      const record = store.get(entry.id)
      return record === undefined ? undefined : { bytes: record.body, sig: record.sig }
    },
    hold(entry) {
      const hold = held.get(entry.id) ?? { entry, count: 0 }
      hold.count++
      held.set(entry.id, hold)
      return {
        [Symbol.dispose]() {
          hold.count--
          if (hold.count === 0) held.delete(entry.id)
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
    follows: record.follows,
    best: { depth: record.depth, proof: record.proof },
    own: record.own,
    redirect: record.redirect,
    emitted: record.emittedDepth,
    over: record.state !== 'live',
  }
}
