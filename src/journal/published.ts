import type { Sql } from './sql.ts'

/** A service that this node published. `at` in ms. */
export type PublishedRecord = {
  readonly service: string
  readonly author: Uint8Array
  readonly name: string
  readonly seq: number
  readonly replicas: number
  readonly at: number
}

export interface PublishedStore {
  put(record: PublishedRecord): void
  get(service: string): PublishedRecord | undefined
  /** Newest first. */
  all(): PublishedRecord[]
  /** Codes of those that live now (whole seconds, UTC), each once. */
  liveCodes(now: number): string[]
}

export function publishedStore(sql: Sql): PublishedStore {
  const columns = 'service, author, name, seq, replicas, at'
  const put = sql.prepare(`INSERT OR REPLACE INTO published (${columns}) VALUES (?, ?, ?, ?, ?, ?)`)
  const get = sql.prepare(`SELECT ${columns} FROM published WHERE service = ?`)
  const all = sql.prepare(`SELECT ${columns} FROM published ORDER BY at DESC, service`)
  const codes = sql.prepare(
    `SELECT DISTINCT a.code AS code FROM published AS p JOIN announcements AS a ON a.id = p.service
      WHERE a.state = 'live' AND a.expires > ? AND a.code IS NOT NULL`,
  )
  return {
    put: ({ service, author, name, seq, replicas, at }) => void put.run(service, author, name, seq, replicas, at),
    get: (service) => get.get<PublishedRecord>(service),
    all: () => all.all<PublishedRecord>().map((row) => ({ ...row })),
    liveCodes: (now) => codes.all<{ code: string }>(now).map(({ code }) => code),
  }
}
