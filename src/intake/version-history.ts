import { decodeAddress, formatAddress } from '../../protocols/address.ts'
import { type Signed, supersedes, type VersionKey } from '../../protocols/announcement.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { CLOCK_SKEW_SECONDS, DEDUPE_AFTER_EXPIRY_SECONDS, MAX_LIFETIME_SECONDS } from '../../protocols/limits.ts'
import type { Ticket } from '../../protocols/redirection.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import { LruMap } from '../base/lru-map.ts'
import { announcementRecord, type Head, type Via } from '../journal/index.ts'
import type { AnnouncementCache, Entry } from './announcement-cache.ts'
import { CACHED_ADDRESSES } from './constants.ts'
import type { IntakeEvents } from './events.ts'
import type { IntakeJournal } from './types.ts'

/** An older version cannot come back while any of its kind may live: its author may have signed it for 30 days. */
const HEAD_LIFE_MS = (MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS + DEDUPE_AFTER_EXPIRY_SECONDS) * 1000

/** Where and how a new announcement came, and what is already decided about it. */
export type Origin = { via: Via; from: string | undefined; own: boolean; redirect: boolean | undefined }

/** The state of one (author, name) before a new announcement. */
export type VersionState = {
  /** the head that is newer than the announcement, if there is one */
  readonly newer: Head | undefined
  /** what is live now, and ends when the announcement is committed */
  readonly replaced: readonly { readonly id: string; readonly kind: 'service' | 'stop' }[]
  /** the live service whose slot the announcement takes */
  readonly predecessor: string | undefined
}

/** The versions of each (author, name): which is current, and what a new announcement replaces. */
export interface VersionHistory {
  lookup(signed: Signed): VersionState
  /** Journals a verified announcement and ends what it replaces, all or nothing; undefined where it is known. */
  commit(signed: Signed, ticket: Ticket, origin: Origin, version: VersionState): Entry | undefined
}

export interface VersionHistoryComponents {
  clock: Clock
  events: Emitter<IntakeEvents>
  journal: IntakeJournal
  cache: AnnouncementCache
}

export function createVersionHistory({ clock, events, journal, cache }: VersionHistoryComponents): VersionHistory {
  const addresses = new LruMap<string, string>(CACHED_ADDRESSES)
  /** Writing an address asks whether its text could be read as another key, which costs as much as a signature. */
  const textOf = (author: Uint8Array) => {
    const key = Buffer.from(author).toString('latin1')
    const known = addresses.get(key) ?? formatAddress(decodeAddress(author))
    addresses.set(key, known)
    return known
  }
  return {
    lookup(signed) {
      const { author, name } = signed.body
      const head = journal.heads.get(author, name)
      if (head === undefined) return { newer: undefined, replaced: [], predecessor: undefined }
      const id = signed.id.toString()
      const replaced = journal.announcements.liveOf(author, name).filter((live) => live.id !== id)
      return {
        newer: supersedes(rankOf(head), signed) ? head : undefined,
        replaced,
        predecessor: replaced.find(({ kind }) => kind === 'service')?.id,
      }
    },
    commit(signed, ticket, origin, { replaced, predecessor }) {
      const id = signed.id.toString()
      const { author, name, seq } = signed.body
      const record = announcementRecord(signed, ticket, { ...origin, receivedAt: clock.now(), predecessor })
      const state = signed.kind === 'stop' ? 'stopped' : 'superseded'
      const isNew = journal.transaction(() => {
        if (!journal.announcements.insert(record)) return false
        for (const old of replaced) journal.announcements.end(old.id, state, id)
        journal.heads.put(author, name, { kind: signed.kind, seq, id, forgetAt: clock.now() + HEAD_LIFE_MS })
        return true
      })
      if (!isNew) return undefined
      const entry = cache.add(signed, record)
      for (const old of replaced) cache.markEnded(old.id)
      const address = textOf(author)
      const { via, from } = origin
      events.emit('intake:received', {
        id,
        kind: signed.kind,
        author: address,
        name,
        seq,
        via,
        from,
        depth: ticket.depth,
      })
      const ended = replaced.filter(({ kind }) => kind === 'service').map((old) => old.id)
      if (signed.kind === 'stop') events.emit('intake:stopped', { author: address, name, seq, ids: ended })
      else for (const old of ended) events.emit('intake:superseded', { old, by: id })
      return entry
    },
  }
}

function rankOf({ kind, id, seq }: Head): VersionKey {
  return { kind, id: parseCid(id), body: { seq } }
}
