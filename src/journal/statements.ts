import type { CID } from '../../protocols/encoding.ts'
import { CLOCK_SKEW_SECONDS, DEDUPE_AFTER_EXPIRY_SECONDS, MAX_STATEMENT_SECONDS } from '../../protocols/limits.ts'
import { decodeStatement, replaces, type Statement, statementId, statementSubject } from '../../protocols/statement.ts'
import type { Sql } from './sql.ts'

/**
 * A hub statement or delegation that is current. Times in ms; `recordPublishedAt`: when it was last put into the mesh's
 * records, 0 = never.
 */
export type StatementRecord = {
  /** the bytes that travel */
  readonly encoded: Uint8Array
  readonly receivedAt: number
  readonly via: 'gossip' | 'sync' | 'record' | 'staple' | 'api'
  /** published by this node's operator */
  readonly own: boolean
  readonly recordPublishedAt: number
}

/** Of one subject the latest alone, also after it has expired: an older one must not come back. */
export interface StatementStore {
  /** Keeps it unless what is kept replaces it; atomic. Returns whether it is current now and was not before. */
  put(record: StatementRecord): boolean
  /** `subject`: as `statementSubject` writes it. */
  get(subject: string): StatementRecord | undefined
  byId(id: CID): StatementRecord | undefined
  attestationsOf(code: string): StatementRecord[]
  freezesOf(address: Uint8Array): StatementRecord[]
  delegations(): StatementRecord[]
  own(): StatementRecord[]
  /** In byte order of their ids, those after `after` that have not expired then (seconds). */
  list(after: CID | undefined, max: number, aliveAt: number): StatementRecord[]
  /** Those that were received last, of one signer (address bytes) or of all. */
  newest(max: number, signer?: Uint8Array): StatementRecord[]
  setRecordPublished(subject: string, atMs: number): void
  remove(subject: string): void
  count(): number
  /** Forgets what was received so long ago that it cannot be valid, then the oldest of the signer with most, until `max` are left. Never `own`. */
  prune(nowMs: number, max: number): number
}

/** By then a statement has expired, on any clock that the wire allows. */
const MEMORY_MS = (MAX_STATEMENT_SECONDS + CLOCK_SKEW_SECONDS + DEDUPE_AFTER_EXPIRY_SECONDS) * 1000

const COLUMNS = 'encoded, received_at, via, own, put_at'
type Row = { encoded: Uint8Array; received_at: number; via: StatementRecord['via']; own: number; put_at: number }

export function statementStore(sql: Sql): StatementStore {
  const select = (rest: string) => sql.prepare(`SELECT ${COLUMNS} FROM statements ${rest}`)
  const write = sql.prepare(`INSERT OR REPLACE INTO statements
    (subject, digest, kind, signer, code, address, seq, issued, expires, encoded, received_at, via, own, put_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const adopt = sql.prepare('UPDATE statements SET own = 1 WHERE subject = ?')
  const get = select('WHERE subject = ?')
  const byId = select('WHERE digest = ?')
  const attestations = select('WHERE code = ? ORDER BY digest')
  const freezes = select('WHERE address = ? ORDER BY digest')
  const delegations = select(`WHERE kind = 'delegation' ORDER BY digest`)
  const own = select('WHERE own = 1 ORDER BY digest')
  const list = select('WHERE digest > ? AND expires > ? ORDER BY digest LIMIT ?')
  const newest = select('ORDER BY received_at DESC, digest LIMIT ?')
  const newestOf = select('WHERE signer = ? ORDER BY received_at DESC, digest LIMIT ?')
  const setRecordPublished = sql.prepare('UPDATE statements SET put_at = ? WHERE subject = ?')
  const remove = sql.prepare('DELETE FROM statements WHERE subject = ?')
  const count = sql.prepare('SELECT count(*) AS count FROM statements')
  const forget = sql.prepare('DELETE FROM statements WHERE own = 0 AND received_at < ? AND expires <= ?')
  // each signer's n-th newest goes before any (n-1)-th: a flooding signer loses its own
  const surplus = sql.prepare(`DELETE FROM statements WHERE subject IN (
    SELECT subject FROM statements WHERE own = 0
    ORDER BY row_number() OVER (PARTITION BY signer ORDER BY received_at DESC, digest) DESC, received_at LIMIT ?)`)
  const many = (rows: Row[]) => rows.map(recordOf)
  const one = (row: Row | undefined) => (row === undefined ? undefined : recordOf(row))
  const total = () => count.get<{ count: number }>()?.count ?? 0

  function put(record: StatementRecord): boolean {
    const statement = decodeStatement(record.encoded)
    const subject = statementSubject(statement)
    return sql.transaction(() => {
      const kept = get.get<Row>(subject)
      if (kept !== undefined && !replaces(statement, decodeStatement(kept.encoded))) {
        if (record.own && kept.own === 0 && Buffer.compare(kept.encoded, record.encoded) === 0) adopt.run(subject)
        return false
      }
      const { seq, issued, expires } = statement.body
      const { signer, code, address } = columnsOf(statement)
      const digest = statementId(record.encoded).multihash.digest
      const { encoded, receivedAt, via, recordPublishedAt } = record
      const times = [Math.floor(receivedAt), via, Number(record.own), Math.floor(recordPublishedAt)] as const
      write.run(subject, digest, statement.kind, signer, code, address, seq, issued, expires, encoded, ...times)
      return true
    })
  }

  return {
    put,
    get: (subject) => one(get.get<Row>(subject)),
    byId: (id) => one(byId.get<Row>(id.multihash.digest)),
    attestationsOf: (code) => many(attestations.all<Row>(code)),
    freezesOf: (address) => many(freezes.all<Row>(address)),
    delegations: () => many(delegations.all<Row>()),
    own: () => many(own.all<Row>()),
    list: (after, max, aliveAt) => many(list.all<Row>(after?.multihash.digest ?? new Uint8Array(), aliveAt, max)),
    newest: (max, signer) => many(signer === undefined ? newest.all<Row>(max) : newestOf.all<Row>(signer, max)),
    setRecordPublished: (subject, atMs) => void setRecordPublished.run(Math.floor(atMs), subject),
    remove: (subject) => void remove.run(subject),
    count: total,
    prune: (nowMs, max) =>
      sql.transaction(() => {
        const old = forget.run(Math.floor(nowMs - MEMORY_MS), Math.floor(nowMs / 1000))
        const more = total() - max
        return old + (more > 0 ? surplus.run(more) : 0)
      }),
  }
}

function columnsOf({ kind, body }: Statement): { signer: Uint8Array; code: string | null; address: Uint8Array | null } {
  switch (kind) {
    case 'attestation':
      return { signer: body.hub, code: body.code.toString(), address: null }
    case 'freeze':
      return { signer: body.hub, code: null, address: body.address }
    case 'delegation':
      return { signer: body.issuer, code: null, address: null }
  }
}

function recordOf({ encoded, received_at, via, own, put_at }: Row): StatementRecord {
  return { encoded, receivedAt: received_at, via, own: own === 1, recordPublishedAt: put_at }
}
