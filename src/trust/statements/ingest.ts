import { timeWindowError } from '../../../protocols/announcement.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError, SignatureError } from '../../../protocols/errors.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { checkSize } from '../../../protocols/schema.ts'
import { decodeStatement, replaces, type Statement, statementSubject } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { keyOf, LruMap } from '../../base/lru-map.ts'
import { createKeyedRateLimiter } from '../../base/token-bucket.ts'
import { type ChangeNotifier, changeOf } from '../change-notifier.ts'
import {
  BLS_COST,
  LINKS_PER_DELEGATE,
  MAX_LINKS,
  MAX_ORPHANS,
  MAX_RATE_LIMITED_PEERS,
  REMEMBERED_DIGESTS,
  SIGNATURE_BUDGET,
} from '../constants.ts'
import type { StatementVia, TrustEvents } from '../events.ts'
import type { IngestResult } from '../types.ts'
import type { TextOf } from './address-cache.ts'
import { type IndexedStatement, indexedStatementOf, signerBytes } from './indexed-statement.ts'
import type { SignatureCache } from './signature-cache.ts'
import type { SignerPolicy } from './signer-policy.ts'
import type { StatementIndex } from './statement-index.ts'
import { eventDetail } from './view.ts'

export type Origin = {
  readonly via: StatementVia
  readonly from?: string | undefined
  /** The account for signature checks, if not `from`: the author that stapled it. */
  readonly chargedTo?: string | undefined
}

export interface IngestComponents {
  clock: Clock
  log: Log
  events: Emitter<TrustEvents>
  index: StatementIndex
  signerPolicy: SignerPolicy
  signatures: SignatureCache
  notifier: ChangeNotifier
  textOf: TextOf
}

/** Takes in one statement. Free checks come first, the signature is checked last. */
export interface Ingest {
  /** Throws a ProtocolError where it is malformed or forged. */
  take(encoded: Uint8Array, origin: Origin): IngestResult
  /** Checks the signature at the sender's cost: false if its budget is used up. */
  checkSignature(encoded: Uint8Array, statement: Statement, origin: Origin): boolean
  /** It is stored now: waiters are notified. */
  onAccepted(entry: IndexedStatement, origin: Origin): void
  /** Has it been seen to be of no use? By the digest of its bytes. */
  isUseless(digest: string): boolean
  /** Which signers are trusted has changed: what waits is processed again. */
  reprocessOrphans(): void
  /** Good delegations of this issuer (address bytes, as a key) that wait until the issuer is vouched for. */
  orphansOf(issuer: string): IndexedStatement[]
}

export function createIngest(components: IngestComponents): Ingest {
  const { clock, log, events, index, signerPolicy, signatures, notifier, textOf } = components
  const refused = new LruMap<string, Refusal>(REMEMBERED_DIGESTS)
  const orphans = new LruMap<string, { encoded: Uint8Array; origin: Origin }>(MAX_ORPHANS)
  const signatureBudget = createKeyedRateLimiter(clock, SIGNATURE_BUDGET, MAX_RATE_LIMITED_PEERS)
  const results = new LruMap<string, IngestResult>(REMEMBERED_DIGESTS)
  /** What would come to something else if others counted. */
  let untrusted = new LruMap<string, IngestResult>(REMEMBERED_DIGESTS)
  let reprocessing = false
  let reprocessAgain = false

  function take(encoded: Uint8Array, origin: Origin): IngestResult {
    // a hash of what is far too large is work for nothing
    const digest = encoded.byteLength > MAX_STATEMENT_BYTES ? '' : keyOf(sha256(encoded))
    const before = refused.get(digest)
    if (before !== undefined) {
      const error = errorOf(before)
      // a staple is looked at with each decision about its service
      if (origin.via !== 'staple') reportRefused(error, origin)
      throw error
    }
    const known = results.get(digest) ?? untrusted.get(digest)
    if (known !== undefined) return known
    try {
      return admit(encoded, digest, origin)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (digest !== '') refused.set(digest, refusalOf(error))
      reportRefused(error, origin)
      throw error
    }
  }

  function admit(encoded: Uint8Array, digest: string, origin: Origin): IngestResult {
    checkSize(encoded, MAX_STATEMENT_BYTES, '')
    const statement = decodeStatement(encoded)
    const time = timeWindowError(statement.body, nowSeconds(clock))
    if (time !== undefined) {
      // an early one has its time yet to come
      if (time === 'expired') results.set(digest, 'dropped')
      return drop(time, origin)
    }
    if (!signerPolicy.isTrusted(statement)) {
      if (statement.kind === 'delegation') orphans.set(digest, { encoded, origin })
      untrusted.set(digest, 'untrusted')
      return 'untrusted'
    }
    const kept = index.get(statementSubject(statement))
    if (kept !== undefined && !replaces(statement, kept.statement)) {
      return settle(digest, replaces(kept.statement, statement) ? 'older' : 'known')
    }
    if (kept === undefined && isOverQuota(statement)) return drop('quota', origin)
    try {
      if (!checkSignature(encoded, statement, origin)) return drop('quota', origin)
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof MembersError) || statement.signers === undefined) {
        throw error
      }
      // it may be good where an operator pinned otherwise
      untrusted.set(digest, 'dropped')
      return drop('members', origin)
    }
    return keep(encoded, digest, statement, origin)
  }

  function keep(encoded: Uint8Array, digest: string, statement: Statement, origin: Origin): IngestResult {
    const before = index.get(statementSubject(statement))
    let entry: IndexedStatement | undefined
    try {
      entry = index.put({ encoded, receivedAt: clock.now(), via: origin.via, own: false, recordPublishedAt: 0 })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      log.warn('a statement could not be written', { reason: messageOf(error) })
      return drop('journal', origin)
    }
    if (entry === undefined) return settle(digest, 'older')
    if (before !== undefined) results.set(keyOf(before.id.multihash.digest), 'older')
    results.set(digest, 'known')
    onAccepted(entry, origin)
    return 'new'
  }

  function onAccepted({ statement }: IndexedStatement, { via, from }: Origin): void {
    if (!signerPolicy.isTrusted(statement)) return
    events.emit('trust:statement', { ...eventDetail(statement, textOf), via, from })
    if (statement.kind === 'delegation') reprocessOrphans()
    notifier.notify(changeOf(statement, textOf))
  }

  /** Links that came before the one that they hang on. */
  function reprocessOrphans(): void {
    untrusted = new LruMap(REMEMBERED_DIGESTS)
    if (reprocessing) {
      reprocessAgain = true
      return
    }
    reprocessing = true
    try {
      do {
        reprocessAgain = false
        for (const [digest, { encoded, origin }] of [...orphans.entries()]) {
          orphans.delete(digest)
          try {
            take(encoded, origin)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
          }
        }
      } while (reprocessAgain)
    } finally {
      reprocessing = false
    }
  }

  function checkSignature(encoded: Uint8Array, statement: Statement, { via, from, chargedTo }: Origin): boolean {
    const digest = keyOf(sha256(encoded))
    if (signatures.isChecked(digest)) return true
    const signer = signerBytes(statement)
    const name = chargedTo ?? from ?? via
    const cost = signer[0] === 0xea ? BLS_COST : 1
    if (!signatureBudget.take(name, cost)) return false
    signatures.check(digest, statement, signerPolicy.current().hubs.get(keyOf(signer))?.pinned)
    signatureBudget.refund(name, cost)
    return true
  }

  /** A delegate of a root may vouch for others, and is trusted with nothing else. */
  function isOverQuota(statement: Statement): boolean {
    if (statement.kind !== 'delegation') return false
    const issuer = keyOf(statement.body.issuer)
    if (signerPolicy.current().roots.has(issuer)) return false
    const { byIssuer, count } = index.links()
    return count >= MAX_LINKS || (byIssuer.get(issuer)?.length ?? 0) >= LINKS_PER_DELEGATE
  }

  function settle(digest: string, taken: IngestResult): IngestResult {
    results.set(digest, taken)
    return taken
  }

  function drop(why: TrustEvents['trust:dropped']['why'], { via, from }: Origin): IngestResult {
    events.emit('trust:dropped', { why, via, from })
    return 'dropped'
  }

  function reportRefused(error: Error, { via, from }: Origin): void {
    events.emit('trust:refused', { via, from, reason: sanitizeText(error.message) })
  }

  function orphansOf(issuer: string): IndexedStatement[] {
    return [...orphans.entries()].flatMap(([digest, { encoded, origin }]) => {
      const entry = indexedStatementOf({
        encoded,
        receivedAt: clock.now(),
        via: origin.via,
        own: false,
        recordPublishedAt: 0,
      })
      if (entry.signer !== issuer) return []
      try {
        signatures.check(digest, entry.statement, undefined)
        return [entry]
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        return []
      }
    })
  }

  return {
    take,
    checkSignature,
    onAccepted,
    orphansOf,
    isUseless: (digest) => refused.has(digest) || results.has(digest) || untrusted.has(digest),
    reprocessOrphans,
  }
}

/** An error holds on to where it was thrown: thousands of them are remembered by their message. */
type Refusal = { readonly field: string; readonly problem: string; readonly forged: boolean }

function refusalOf(error: ProtocolError): Refusal {
  const { field, message } = error
  const problem = field === '' ? message : message.slice(field.length + 2)
  return { field, problem, forged: error instanceof SignatureError }
}

function errorOf({ field, problem, forged }: Refusal): ProtocolError {
  return forged ? new SignatureError(field, problem) : new ProtocolError(field, problem)
}
