import { anySignal } from 'any-signal'
import { timeWindowError } from '../../../protocols/announcement.ts'
import { MembersError } from '../../../protocols/errors.ts'
import {
  decodeStatement,
  recordKey,
  replaces,
  type Statement,
  statementId,
  statementSubject,
} from '../../../protocols/statement.ts'
import { type Clock, deadline, nowSeconds } from '../../base/clock.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError, messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { keyOf } from '../../base/lru-map.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { FAILURES_IN_A_ROW, PUBLISH_TIMEOUT_MS, PUTS_PER_TICK, REPUBLISH_BACKOFF, REPUBLISH_MS } from '../constants.ts'
import type { TrustComponents } from '../types.ts'
import { type IndexedStatement, signerBytes } from './indexed-statement.ts'
import type { Ingest } from './ingest.ts'
import type { SignatureCache } from './signature-cache.ts'
import type { SignerPolicy } from './signer-policy.ts'
import type { StatementIndex } from './statement-index.ts'

export interface StatementPublisherComponents {
  clock: Clock
  rng: Rng
  log: Log
  index: Pick<StatementIndex, 'put' | 'get' | 'own' | 'setRecordPublished'>
  signerPolicy: SignerPolicy
  signatures: SignatureCache
  ingest: Pick<Ingest, 'onAccepted'>
  records: Pick<TrustComponents['records'], 'put'>
  mesh: TrustComponents['mesh']
}

/** Publishes the operator's statements until a peer has received them, and keeps them in the records until they expire. */
export interface StatementPublisher extends AsyncDisposable {
  /** Throws an InputError where `publish` would. */
  check(encoded: Uint8Array): Statement
  publish(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<IndexedStatement>
  /** One round: statements that no peer took, and records that would expire. `inUse`: statements of others that are renewed too. */
  republishDue(inUse: Iterable<IndexedStatement>): Promise<void>
}

export function createStatementPublisher(components: StatementPublisherComponents): StatementPublisher {
  const { clock, rng, log, index, signerPolicy, signatures, ingest, records, mesh } = components
  /** Of a subject: what failed how often, and when it is tried again, by the monotonic clock. */
  const failures = new Map<string, { attempts: number; next: number }>()
  /** Subjects not yet published to the topic; after a start that is unknown, so own ones are published once. */
  const announced = new Set<string>()
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  function check(encoded: Uint8Array): Statement {
    const statement = decodeOrExplain(() => decodeStatement(encoded))
    const time = timeWindowError(statement.body, nowSeconds(clock))
    if (time === 'early') throw new InputError('the statement is from the future: issued must not lie ahead of now')
    if (time === 'expired') throw new InputError('the statement has expired: expires must lie ahead of now')
    const kept = index.get(statementSubject(statement))
    if (kept !== undefined && replaces(kept.statement, statement)) {
      throw new InputError(
        `a later statement of the same subject is in force (seq ${kept.statement.body.seq}): sign a higher seq`,
      )
    }
    decodeOrExplain(() => {
      const pinned = signerPolicy.current().hubs.get(keyOf(signerBytes(statement)))?.pinned
      signatures.check(keyOf(statementId(encoded).multihash.digest), statement, pinned)
    })
    return statement
  }

  function keep(encoded: Uint8Array): IndexedStatement {
    const subject = statementSubject(check(encoded))
    const entry = index.put({ encoded, receivedAt: clock.now(), via: 'api', own: true, recordPublishedAt: 0 })
    if (entry === undefined) return index.get(subject) as IndexedStatement
    announced.delete(subject)
    failures.delete(subject)
    ingest.onAccepted(entry, { via: 'api' })
    return entry
  }

  /** To the topic and into the records; a freeze statement has no record. */
  async function send(entry: IndexedStatement, signal: AbortSignal | undefined, toMesh: boolean): Promise<boolean> {
    const { encoded, statement, subject } = entry
    const key = recordKey(statement)
    const [published, taken] = await Promise.all([
      toMesh ? succeeds(() => mesh.publish(encoded)) : true,
      key === undefined ? undefined : succeeds(() => put(key, encoded, signal)),
    ])
    if (published) announced.add(subject)
    if (published && taken !== false) {
      failures.delete(subject)
      index.setRecordPublished(subject, clock.now())
      return true
    }
    const attempts = (failures.get(subject)?.attempts ?? -1) + 1
    failures.set(subject, { attempts, next: clock.monotonic() + backoffMs(attempts, REPUBLISH_BACKOFF, rng) })
    return false
  }

  async function put(key: string, encoded: Uint8Array, outer: AbortSignal | undefined): Promise<void> {
    using limit = deadline(clock, PUBLISH_TIMEOUT_MS, new TimeoutError('no peer took the record in time'), outer)
    using stack = new DisposableStack()
    const signal = stack.adopt(anySignal([limit.signal, closing.signal]), (combined) => combined.clear())
    const count = await records.put(key, encoded, { signal })
    if (count === 0) throw new UnavailableError('no peer took the record')
  }

  async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      log.debug('a statement could not be published; it is tried again later', { reason: messageOf(error) })
      return false
    }
  }

  function isDue({ subject, statement, recordPublishedAt, id }: IndexedStatement): boolean {
    if (timeWindowError(statement.body, nowSeconds(clock)) !== undefined) return false
    const failure = failures.get(subject)
    if (failure !== undefined) return failure.next <= clock.monotonic()
    // the id spreads what came together over an hour and more
    const spread = ((id.multihash.digest[0] ?? 0) / 256) * 0.1
    return recordPublishedAt === 0 || clock.now() - recordPublishedAt >= REPUBLISH_MS * (0.9 + spread)
  }

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work)
    return work.finally(() => running.delete(work))
  }

  return {
    check,
    async publish(encoded, { signal } = {}) {
      signal?.throwIfAborted()
      const entry = keep(encoded)
      await track(send(entry, signal, true))
      return index.get(entry.subject) ?? entry
    },
    async republishDue(inUse) {
      const all = new Map([...inUse, ...index.own()].map((entry) => [entry.subject, entry]))
      for (const subject of failures.keys()) if (!all.has(subject)) failures.delete(subject)
      const due = [...all.values()].filter(isDue).slice(0, PUTS_PER_TICK)
      let failed = 0
      for (const entry of due) {
        if (closing.signal.aborted || failed >= FAILURES_IN_A_ROW) return
        if (!entry.own && recordKey(entry.statement) === undefined) continue
        failed = (await track(send(entry, undefined, entry.own && !announced.has(entry.subject)))) ? 0 : failed + 1
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new UnavailableError('the node is stopping'))
      await Promise.allSettled(running)
    },
  }
}

function decodeOrExplain<T>(work: () => T): T {
  return decodeInput(work, (error) => {
    const remedy =
      error instanceof MembersError
        ? '; write the hub with its MEMBERS and THRESHOLD into TRUSTED_HUBS of this node, or publish it without a node (--join)'
        : ''
    return `the statement cannot be taken: ${error.message}${remedy}`
  })
}
