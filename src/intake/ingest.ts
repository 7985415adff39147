import { equals } from 'uint8arrays'
import {
  decodeSigned,
  type Signed,
  timeWindowError,
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
import type { AnnouncementCache, Entry } from './announcement-cache.ts'
import { QUOTA_RETRY_MS } from './constants.ts'
import type { Denylist } from './denylist.ts'
import type { IncomingCopy } from './forwarding-rules.ts'
import type { Delivery, Quotas } from './quotas.ts'
import { rejection } from './rejection-reasons.ts'
import type { Outcome } from './types.ts'
import type { VersionHistory } from './version-history.ts'

/** Where bytes came from. `stopsOnly`: nothing else may come this way; `limited`: quotas hold. */
export type Source = { via: Via; from: string | undefined; delivery: Delivery; stopsOnly: boolean; limited: boolean }

/** What became of them, and what the forwarding decision needs. `fresh`: journalled just now. `deferred`: worth pulling later. */
export type IngestResult = {
  readonly outcome: Outcome
  readonly incoming: IncomingCopy
  readonly entry?: Entry
  readonly fresh?: Signed
  readonly deferred?: CID
  /** of one that is early: by how much */
  readonly aheadMs?: number
  /** why the journal could not be written */
  readonly unwritten?: Error
}

export interface IngestComponents {
  clock: Clock
  keys: KeyCache
  cache: AnnouncementCache
  quotas: Quotas
  versions: VersionHistory
  denylist: Denylist
  /** is there capacity for one more verdict? */
  hasCapacity(): boolean
}

type ReceivedCopy = { cid: CID; id: string; body: Uint8Array; sig: Uint8Array; ticket: Ticket }

/** Takes one announcement in, or says why not. Nothing is remembered of what its author did not sign. */
export function createIngest(
  components: IngestComponents,
  network: string,
): (bytes: Uint8Array, source: Source) => IngestResult {
  const { clock, keys, cache, quotas, versions, denylist, hasCapacity } = components

  function aheadIf(time: 'early' | 'expired', { issued }: { issued: number }): Pick<IngestResult, 'aheadMs'> {
    return time === 'early' ? { aheadMs: issued * 1000 - clock.now() } : {}
  }

  /** A copy of what is known: only its ticket can be news. */
  function ingestKnown(entry: Entry, { body, sig, ticket }: ReceivedCopy): IngestResult {
    checkTicketBy(entry.bestTicket, entry.reach, ticket)
    const sameSignature = equals(sig, entry.sig)
    // the same body under other bytes: forged, or signed twice by its author; either way the first stays
    if (!sameSignature) verifyAnnouncement(decodeSigned(body, sig), network, keys)
    const incoming: IncomingCopy = { valid: true, depth: ticket.depth, sameSignature }
    const time = timeWindowError(entry, nowSeconds(clock))
    if (time !== undefined) return { outcome: rejection(time), incoming, entry, ...aheadIf(time, entry) }
    const better = !entry.ended && cache.updateTicket(entry, ticket)
    return { outcome: { outcome: better ? 'better' : 'known', id: entry.id }, incoming, entry }
  }

  /** The first copy. Cheap checks come first; the signature is checked once, before anything is stored. */
  function ingestNew({ cid, id, body, sig, ticket }: ReceivedCopy, source: Source): IngestResult {
    const signed = decodeSigned(body, sig)
    checkTicket(signed.body.reach, ticket)
    if (source.stopsOnly && signed.kind !== 'stop')
      throw new ProtocolError('', 'only a stop can be handed to a node directly')
    const incoming: IncomingCopy = { valid: true, depth: ticket.depth, sameSignature: true }
    const time = timeWindowError(signed.body, nowSeconds(clock))
    if (time !== undefined) {
      if (time === 'early') denylist.addUntil(id, signed.body.issued * 1000)
      else denylist.addPermanent(id)
      return { outcome: rejection(time), incoming, ...aheadIf(time, signed.body) }
    }
    if (denylist.hasSignature(id, sig)) return { outcome: rejection('older'), incoming }
    const version = versions.lookup(signed)
    const service = {
      author: signed.body.author,
      update: version.predecessor !== undefined,
      delivery: source.delivery,
      from: source.from,
    }
    if (signed.kind === 'service' && source.limited) {
      const why = quotas.check(service) ?? (hasCapacity() ? undefined : 'queue-full')
      if (why === 'author-services') denylist.addUntil(id, clock.now() + QUOTA_RETRY_MS)
      if (why !== undefined)
        return { outcome: rejection(why), incoming, ...(why !== 'author-services' && { deferred: cid }) }
    }
    verifyAnnouncement(signed, network, keys)
    if (version.newer !== undefined) {
      denylist.addPermanent(id, sig)
      return { outcome: rejection('older'), incoming }
    }
    if (signed.kind === 'service') quotas.count(service)
    const redirect = signed.kind === 'stop' ? true : undefined
    const entry = versions.commit(signed, ticket, { via: source.via, from: source.from, own: false, redirect }, version)
    if (entry === undefined) return { outcome: { outcome: 'known', id }, incoming }
    return { outcome: { outcome: 'new', id }, incoming, entry, fresh: signed }
  }

  return (bytes, source) => {
    let cid: CID | undefined
    try {
      const { body, sig, ticket } = unwrapAnnouncement(bytes)
      cid = serviceId(body)
      const copy = { cid, id: cid.toString(), body, sig, ticket }
      const entry = cache.get(copy.id)
      return entry === undefined ? ingestNew(copy, source) : ingestKnown(entry, copy)
    } catch (error) {
      if (error instanceof ProtocolError) {
        const outcome: Outcome = { outcome: 'refused', why: 'invalid', reason: messageOf(error), retry: false, error }
        return { outcome, incoming: { valid: false } }
      }
      // the journal could not be written: nothing was kept, so the same copy is news again later
      if (!(error instanceof UnavailableError)) throw error
      const incoming: IncomingCopy = { valid: true, depth: 0, sameSignature: false }
      return { outcome: rejection('journal'), incoming, unwritten: error, ...(cid !== undefined && { deferred: cid }) }
    }
  }
}
