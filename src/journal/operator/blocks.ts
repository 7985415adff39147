import type { Sql } from '../sql.ts'

/** An author (an address), a code (a content id) or a peer (a peer id) that the operator has blocked. Times in ms. */
export type BlockRecord = {
  readonly kind: 'author' | 'code' | 'peer'
  readonly subject: string
  readonly since: number
  /** it ends by itself then; null: it does not */
  readonly until: number | null
  /** the operator's own words; they do not leave the node */
  readonly note: string | null
  /** what ran when it began goes on */
  readonly keepsRuns: boolean
}

export interface BlockStore {
  /** Replaces the one on the same subject. */
  put(block: BlockRecord): void
  remove(kind: BlockRecord['kind'], subject: string): void
  all(): BlockRecord[]
}

type Row = Omit<BlockRecord, 'keepsRuns'> & { keeps_runs: number }

export function blockStore(sql: Sql): BlockStore {
  const put = sql.prepare(
    'INSERT OR REPLACE INTO blocks (kind, subject, since, until, note, keeps_runs) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const remove = sql.prepare('DELETE FROM blocks WHERE kind = ? AND subject = ?')
  const all = sql.prepare('SELECT kind, subject, since, until, note, keeps_runs FROM blocks ORDER BY since, subject')
  return {
    put: ({ kind, subject, since, until, note, keepsRuns }) =>
      void put.run(kind, subject, since, until, note, keepsRuns ? 1 : 0),
    remove: (kind, subject) => void remove.run(kind, subject),
    all: () => all.all<Row>().map(({ keeps_runs, ...row }) => ({ ...row, keepsRuns: keeps_runs === 1 })),
  }
}
