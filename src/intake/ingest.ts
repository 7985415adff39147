import { equals } from 'uint8arrays'
import {
  decodeSigned,
  outOfTime,
  type Signed,
  unwrapAnnouncement,
  verifyAnnouncement,
} from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { checkTicket, checkTicketBy, type Ticket } from '../../protocols/redirection.ts'
import { serviceId } from '../../protocols/service.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Via } from '../journal/index.ts'
import type { Book, Entry } from './announcement-cache.ts'
import { QUOTA_RETRY_MS } from './constants.ts'
import type { Unwanted } from './denylist.ts'
import type { GateArrival } from './forwarding-rules.ts'
import type { Push, Quotas } from './quotas.ts'
import { refused } from './rejection-reasons.ts'
import type { Outcome } from './types.ts'
import type { Succession } from './version-history.ts'

/** Where bytes came from. `stopsOnly`: nothing else may come this way; `limited`: quotas hold. */
export type Way = { via: Via; from: string | undefined; push: Push; stopsOnly: boolean; limited: boolean }

/** What became of them, and what the gate wants to know. `fresh`: journalled just now. `missed`: worth pulling later. */
export type Taken = {
  readonly outcome: Outcome
  readonly arrival: GateArrival
  readonly entry?: Entry
  readonly fresh?: Signed
  readonly missed?: CID
  /** of one that is early: by how much */
  readonly aheadMs?: number
}

export interface TakingComponents {
  clock: Clock
  keys: KeyCache
  book: Book
  quotas: Quotas
  succession: Succession
  unwanted: Unwanted
  /** is there room for one more verdict? */
  hasRoom(): boolean
}

type Copy = { cid: CID; id: string; body: Uint8Array; sig: Uint8Array; ticket: Ticket }

/** Takes one announcement in, or says why not. Nothing is remembered of what its author did not sign. */
export function createTaking(components: TakingComponents, network: string): (bytes: Uint8Array, way: Way) => Taken {
  const { clock, keys, book, quotas, succession, unwanted, hasRoom } = components

  function aheadIf(time: 'early' | 'expired', { issued }: { issued: number }): Pick<Taken, 'aheadMs'> {
    return time === 'early' ? { aheadMs: issued * 1000 - clock.now() } : {}
  }

  /** A copy of what is known: only its ticket can be news. */
  function hear(entry: Entry, { body, sig, ticket }: Copy): Taken {
    checkTicketBy(entry.best, entry.reach, ticket)
    const ours = equals(sig, entry.sig)
    // the same body under other bytes: forged, or signed twice by its author; either way the first stays
    if (!ours) verifyAnnouncement(decodeSigned(body, sig), network, keys)
    const arrival: GateArrival = { genuine: true, depth: ticket.depth, ours }
    const time = outOfTime(entry, nowSeconds(clock))
    if (time !== undefined) return { outcome: refused(time), arrival, entry, ...aheadIf(time, entry) }
    const better = !entry.over && book.raise(entry, ticket)
    return { outcome: { outcome: better ? 'better' : 'known', id: entry.id }, arrival, entry }
  }

  /** The first copy. Cheap questions come first; the signature is checked once, before anything is kept. */
  function meet({ cid, id, body, sig, ticket }: Copy, way: Way): Taken {
    const signed = decodeSigned(body, sig)
    checkTicket(signed.body.reach, ticket)
    if (way.stopsOnly && signed.kind !== 'stop')
      throw new ProtocolError('', 'only a stop can be handed to a node directly')
    const arrival: GateArrival = { genuine: true, depth: ticket.depth, ours: true }
    const time = outOfTime(signed.body, nowSeconds(clock))
    if (time !== undefined) {
      if (time === 'early') unwanted.until(id, signed.body.issued * 1000)
      else unwanted.ever(id)
      return { outcome: refused(time), arrival, ...aheadIf(time, signed.body) }
    }
    if (unwanted.knows(id, sig)) return { outcome: refused('older'), arrival }
    const line = succession.line(signed)
    const newcomer = {
      author: signed.body.author,
      update: line.predecessor !== undefined,
      push: way.push,
      from: way.from,
    }
    if (signed.kind === 'service' && way.limited) {
      const why = quotas.check(newcomer) ?? (hasRoom() ? undefined : 'queue-full')
      if (why === 'author-services') unwanted.until(id, clock.now() + QUOTA_RETRY_MS)
      if (why !== undefined)
        return { outcome: refused(why), arrival, ...(why !== 'author-services' && { missed: cid }) }
    }
    verifyAnnouncement(signed, network, keys)
    if (line.newer !== undefined) {
      unwanted.ever(id, sig)
      return { outcome: refused('older'), arrival }
    }
    if (signed.kind === 'service') quotas.count(newcomer)
    const redirect = signed.kind === 'stop' ? true : undefined
    const entry = succession.enter(signed, ticket, { via: way.via, from: way.from, own: false, redirect }, line)
    if (entry === undefined) return { outcome: { outcome: 'known', id }, arrival }
    return { outcome: { outcome: 'new', id }, arrival, entry, fresh: signed }
  }

  return (bytes, way) => {
    let cid: CID | undefined
    try {
      const { body, sig, ticket } = unwrapAnnouncement(bytes)
      cid = serviceId(body)
      const copy = { cid, id: cid.toString(), body, sig, ticket }
      const entry = book.get(copy.id)
      return entry === undefined ? meet(copy, way) : hear(entry, copy)
    } catch (error) {
      if (error instanceof ProtocolError) {
        const outcome: Outcome = { outcome: 'refused', why: 'invalid', reason: messageOf(error), retry: false, error }
        return { outcome, arrival: { genuine: false } }
      }
      // the journal could not be written: nothing was kept, so the same copy is news again later
      if (!(error instanceof UnavailableError)) throw error
      const arrival: GateArrival = { genuine: true, depth: 0, ours: false }
      return { outcome: refused('journal'), arrival, ...(cid !== undefined && { missed: cid }) }
    }
  }
}
