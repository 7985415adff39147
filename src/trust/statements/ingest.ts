import { outOfTime } from '../../../protocols/announcement.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError, SignatureError } from '../../../protocols/errors.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { checkSize } from '../../../protocols/shape.ts'
import { decodeStatement, replaces, type Statement, statementSubject } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { printable } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { BoundedMap } from '../../base/queue.ts'
import { type Changes, changeOf } from '../change-notifier.ts'
import { BLS_COST, FORGERIES, LINKS_PER_DELEGATE, MAX_LINKS, ORPHANS, PEERS, REMEMBERED } from '../constants.ts'
import type { StatementVia, TrustEvents } from '../events.ts'
import { createPurses } from '../gossip/keyed-rate-limiter.ts'
import type { Taken } from '../types.ts'
import { type Entry, entryOf, keyOf, signerBytes } from './indexed-statement.ts'
import type { Seals } from './signature-cache.ts'
import type { Counting } from './signer-policy.ts'
import type { Book } from './statement-index.ts'
import type { TextOf } from './texts.ts'
import { tellOf } from './view.ts'

export type Origin = {
  readonly via: StatementVia
  readonly from?: string | undefined
  /** At whose cost signatures are checked, where it is not `from`: who stapled it. */
  readonly payer?: string | undefined
}

export interface TakingComponents {
  clock: Clock
  log: Log
  events: Emitter<TrustEvents>
  book: Book
  counting: Counting
  seals: Seals
  changes: Changes
  textOf: TextOf
}

/** The way in of one statement. What costs nothing is asked first, a signature is checked last. */
export interface Taking {
  /** Throws a ProtocolError where it is malformed or forged. */
  take(encoded: Uint8Array, origin: Origin): Taken
  /** Checks the signature, at the cost of who sent it: false where that was too much already. */
  checkSeal(encoded: Uint8Array, statement: Statement, origin: Origin): boolean
  /** It stands now: whoever waits for it is told. */
  stands(entry: Entry, origin: Origin): void
  /** Has it been seen to be of no use? By the digest of its bytes. */
  isUseless(digest: string): boolean
  /** What counts is weighed anew. */
  weighAnew(): void
  /** Good delegations of this issuer (address bytes, as a key) that wait until somebody vouches for it. */
  orphansOf(issuer: string): Entry[]
}

export function createTaking(components: TakingComponents): Taking {
  const { clock, log, events, book, counting, seals, changes, textOf } = components
  const refused = new BoundedMap<string, Refusal>(REMEMBERED)
  const orphans = new BoundedMap<string, { encoded: Uint8Array; origin: Origin }>(ORPHANS)
  const forgeries = createPurses(clock, FORGERIES, PEERS)
  const settled = new BoundedMap<string, Taken>(REMEMBERED)
  /** What would come to something else if others counted. */
  let unweighed = new BoundedMap<string, Taken>(REMEMBERED)
  let adopting = false
  let adoptAgain = false

  function take(encoded: Uint8Array, origin: Origin): Taken {
    // a hash of what is far too large is work for nothing
    const digest = encoded.byteLength > MAX_STATEMENT_BYTES ? '' : keyOf(sha256(encoded))
    const before = refused.get(digest)
    if (before !== undefined) {
      const error = errorOf(before)
      // a staple is looked at with each decision about its service
      if (origin.via !== 'staple') tellRefused(error, origin)
      throw error
    }
    const known = settled.get(digest) ?? unweighed.get(digest)
    if (known !== undefined) return known
    try {
      return admit(encoded, digest, origin)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (digest !== '') refused.set(digest, refusalOf(error))
      tellRefused(error, origin)
      throw error
    }
  }

  function admit(encoded: Uint8Array, digest: string, origin: Origin): Taken {
    checkSize(encoded, MAX_STATEMENT_BYTES, '')
    const statement = decodeStatement(encoded)
    const time = outOfTime(statement.body, nowSeconds(clock))
    if (time !== undefined) {
      // an early one has its time yet to come
      if (time === 'expired') settled.set(digest, 'dropped')
      return drop(time, origin)
    }
    if (!counting.statement(statement)) {
      if (statement.kind === 'delegation') orphans.set(digest, { encoded, origin })
      unweighed.set(digest, 'untrusted')
      return 'untrusted'
    }
    const kept = book.get(statementSubject(statement))
    if (kept !== undefined && !replaces(statement, kept.statement)) {
      return settle(digest, replaces(kept.statement, statement) ? 'older' : 'known')
    }
    if (kept === undefined && isOverQuota(statement)) return drop('quota', origin)
    try {
      if (!checkSeal(encoded, statement, origin)) return drop('quota', origin)
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof MembersError) || statement.signers === undefined) {
        throw error
      }
      // it may be good where an operator pinned otherwise
      unweighed.set(digest, 'dropped')
      return drop('members', origin)
    }
    return keep(encoded, digest, statement, origin)
  }

  function keep(encoded: Uint8Array, digest: string, statement: Statement, origin: Origin): Taken {
    const before = book.get(statementSubject(statement))
    let entry: Entry | undefined
    try {
      entry = book.put({ encoded, receivedAt: clock.now(), via: origin.via, own: false, putAt: 0 })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      log.warn('a statement could not be written', { reason: messageOf(error) })
      return drop('journal', origin)
    }
    if (entry === undefined) return settle(digest, 'older')
    if (before !== undefined) settled.set(keyOf(before.id.multihash.digest), 'older')
    settled.set(digest, 'known')
    stands(entry, origin)
    return 'new'
  }

  function stands({ statement }: Entry, { via, from }: Origin): void {
    if (!counting.statement(statement)) return
    events.emit('trust:statement', { ...tellOf(statement, textOf), via, from })
    if (statement.kind === 'delegation') adopt()
    changes.tell(changeOf(statement, textOf))
  }

  /** Links that came before the one that they hang on. */
  function adopt(): void {
    unweighed = new BoundedMap(REMEMBERED)
    if (adopting) {
      adoptAgain = true
      return
    }
    adopting = true
    try {
      do {
        adoptAgain = false
        for (const [digest, { encoded, origin }] of [...orphans.entries()]) {
          orphans.delete(digest)
          try {
            take(encoded, origin)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
          }
        }
      } while (adoptAgain)
    } finally {
      adopting = false
    }
  }

  function checkSeal(encoded: Uint8Array, statement: Statement, { via, from, payer }: Origin): boolean {
    const digest = keyOf(sha256(encoded))
    if (seals.isChecked(digest)) return true
    const signer = signerBytes(statement)
    const name = payer ?? from ?? via
    const cost = signer[0] === 0xea ? BLS_COST : 1
    if (!forgeries.take(name, cost)) return false
    seals.check(digest, statement, counting.policy().hubs.get(keyOf(signer))?.pinned)
    forgeries.give(name, cost)
    return true
  }

  /** Whom a root vouches for may vouch for others, and is trusted with no more than that. */
  function isOverQuota(statement: Statement): boolean {
    if (statement.kind !== 'delegation') return false
    const issuer = keyOf(statement.body.issuer)
    if (counting.policy().roots.has(issuer)) return false
    const { byIssuer, count } = book.links()
    return count >= MAX_LINKS || (byIssuer.get(issuer)?.length ?? 0) >= LINKS_PER_DELEGATE
  }

  function settle(digest: string, taken: Taken): Taken {
    settled.set(digest, taken)
    return taken
  }

  function drop(why: TrustEvents['trust:dropped']['why'], { via, from }: Origin): Taken {
    events.emit('trust:dropped', { why, via, from })
    return 'dropped'
  }

  function tellRefused(error: Error, { via, from }: Origin): void {
    events.emit('trust:refused', { via, from, reason: printable(error.message) })
  }

  function orphansOf(issuer: string): Entry[] {
    return [...orphans.entries()].flatMap(([digest, { encoded, origin }]) => {
      const entry = entryOf({ encoded, receivedAt: clock.now(), via: origin.via, own: false, putAt: 0 })
      if (entry.signer !== issuer) return []
      try {
        seals.check(digest, entry.statement, undefined)
        return [entry]
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        return []
      }
    })
  }

  return {
    take,
    checkSeal,
    stands,
    orphansOf,
    isUseless: (digest) => refused.has(digest) || settled.has(digest) || unweighed.has(digest),
    weighAnew: adopt,
  }
}

/** An error holds on to where it was thrown: thousands of them are remembered by their words. */
type Refusal = { readonly field: string; readonly problem: string; readonly forged: boolean }

function refusalOf(error: ProtocolError): Refusal {
  const { field, message } = error
  const problem = field === '' ? message : message.slice(field.length + 2)
  return { field, problem, forged: error instanceof SignatureError }
}

function errorOf({ field, problem, forged }: Refusal): ProtocolError {
  return forged ? new SignatureError(field, problem) : new ProtocolError(field, problem)
}
