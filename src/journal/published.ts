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
}

export function publishedStore(sql: Sql): PublishedStore {
  const columns = 'service, author, name, seq, replicas, at'
  const put = sql.prepare(`INSERT OR REPLACE INTO published (${columns}) VALUES (?, ?, ?, ?, ?, ?)`)
  const get = sql.prepare(`SELECT ${columns} FROM published WHERE service = ?`)
  const all = sql.prepare(`SELECT ${columns} FROM published ORDER BY at DESC, service`)
  return {
    put: ({ service, author, name, seq, replicas, at }) => void put.run(service, author, name, seq, replicas, at),
    get: (service) => get.get<PublishedRecord>(service),
    all: () => all.all<PublishedRecord>().map((row) => ({ ...row })),
  }
}
