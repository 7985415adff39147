import type { Sql } from './sql.ts'

/** Which live services of others are meant: all, those with a code, or those of an author (address bytes). */
export type ReevaluatedServices =
  | { readonly on: 'all' }
  | { readonly on: 'code'; readonly code: string }
  | { readonly on: 'author'; readonly author: Uint8Array }

/** A service that a new decision admits: the highest rank gets capacity first; of two of equal rank the one received first. */
export type Candidate = { readonly id: string; readonly rank: number; readonly arrived: number }

/** What a policy, or a statement, that changed has still to be applied to. */
export interface ReevaluationStore {
  /** Live services that others announced, in the order of their arrival, after the row `after`. */
  page(which: ReevaluatedServices, after: number, nowSeconds: number, max: number): { row: number; id: string }[]
  count(nowSeconds: number): number
  /** Candidates wait until all are known. */
  put(candidates: readonly Candidate[]): void
  best(max: number): string[]
  remove(ids: readonly string[]): void
  clear(): void
}

export function reevaluationStore(sql: Sql): ReevaluationStore {
  const live = "kind = 'service' AND state = 'live' AND own = 0 AND expires > ?"
  const select = (rest: string) =>
    sql.prepare(`SELECT rowid AS row, id FROM announcements WHERE ${live} ${rest} AND rowid > ? ORDER BY rowid LIMIT ?`)
  const all = select('')
  const ofCode = select('AND code = ?')
  const ofAuthor = select('AND author = ?')
  const count = sql.prepare(`SELECT count(*) AS count FROM announcements WHERE ${live}`)
  const put = sql.prepare('INSERT OR REPLACE INTO candidates (service, rank, arrived) VALUES (?, ?, ?)')
  const best = sql.prepare('SELECT service FROM candidates ORDER BY rank DESC, arrived, service LIMIT ?')
  const remove = sql.prepare('DELETE FROM candidates WHERE service = ?')
  const clear = sql.prepare('DELETE FROM candidates')
  type Row = { row: number; id: string }
  return {
    page(which, after, now, max) {
      switch (which.on) {
        case 'all':
          return all.all<Row>(now, after, max)
        case 'code':
          return ofCode.all<Row>(now, which.code, after, max)
        case 'author':
          return ofAuthor.all<Row>(now, which.author, after, max)
      }
    },
    count: (now) => count.get<{ count: number }>(now)?.count ?? 0,
    put(candidates) {
      for (const { id, rank, arrived } of candidates) put.run(id, rank, Math.floor(arrived))
    },
    best: (max) => best.all<{ service: string }>(max).map(({ service }) => service),
    remove(ids) {
      for (const id of ids) remove.run(id)
    },
    clear: () => void clear.run(),
  }
}
