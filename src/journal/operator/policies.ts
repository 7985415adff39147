import { POLICIES_KEPT, POLICY_BYTES_KEPT } from '../constants.ts'
import type { Sql } from '../sql.ts'

/** A policy that was put in force, without its text. `at` in ms; `added`, `removed`: lines, against the one before. */
export type PolicyRecord = {
  readonly number: number
  readonly at: number
  readonly sha256: string
  readonly bytes: number
  readonly byKind: string
  readonly byId: string
  readonly byLabel: string
  readonly added: number
  readonly removed: number
}

/** Policies in the order in which they were put in force. A number is never used again. */
export interface PolicyStore {
  /** Forgets the oldest beyond the bounds. */
  add(policy: Omit<PolicyRecord, 'number' | 'bytes'> & { readonly text: string }): void
  /** Newest first. */
  all(): PolicyRecord[]
  text(number: number): string | undefined
}

export function policyStore(sql: Sql): PolicyStore {
  const add = sql.prepare(`INSERT INTO policies (at, sha256, text, bytes, by_kind, by_id, by_label, added, removed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const all =
    sql.prepare(`SELECT number, at, sha256, bytes, by_kind AS byKind, by_id AS byId, by_label AS byLabel, added, removed
    FROM policies ORDER BY number DESC`)
  const text = sql.prepare('SELECT text FROM policies WHERE number = ?')
  // of the newest first, those up to the bounds
  const forget = sql.prepare(`DELETE FROM policies WHERE number IN (
    SELECT number FROM (SELECT number, row_number() OVER newest AS place, sum(bytes) OVER newest AS total FROM policies
      WINDOW newest AS (ORDER BY number DESC)) WHERE place > 1 AND (place > ? OR total > ?))`)
  return {
    add: ({ at, sha256, text: written, byKind, byId, byLabel, added, removed }) =>
      sql.transaction(() => {
        add.run(at, sha256, written, Buffer.byteLength(written), byKind, byId, byLabel, added, removed)
        forget.run(POLICIES_KEPT, POLICY_BYTES_KEPT)
      }),
    all: () => all.all<PolicyRecord>().map((row) => ({ ...row })),
    text: (number) => text.get<{ text: string }>(number)?.text,
  }
}
