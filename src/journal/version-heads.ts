import type { Sql } from './sql.ts'

/** The newest version or stop of one (author, name): it outlives the announcement itself, so that an older one cannot come back. */
export type Head = { readonly kind: 'service' | 'stop'; readonly seq: number; readonly id: string }

export interface VersionHeadStore {
  get(author: Uint8Array, name: string): Head | undefined
  /** Replaces the head; it is remembered until `forgetAt` (ms), or longer where the one before said so. */
  put(author: Uint8Array, name: string, head: Head & { forgetAt: number }): void
  /** Is anything of this author known? */
  knowsAuthor(author: Uint8Array): boolean
}

export function versionHeadStore(sql: Sql): VersionHeadStore {
  const get = sql.prepare('SELECT kind, seq, id FROM heads WHERE author = ? AND name = ?')
  const put = sql.prepare(`
    INSERT INTO heads (author, name, kind, seq, id, forget_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET kind = excluded.kind, seq = excluded.seq, id = excluded.id,
      forget_at = max(forget_at, excluded.forget_at)`)
  const knows = sql.prepare('SELECT 1 FROM heads WHERE author = ? LIMIT 1')
  return {
    get: (author, name) => get.get<Head>(author, name),
    put: (author, name, { kind, seq, id, forgetAt }) => void put.run(author, name, kind, seq, id, forgetAt),
    knowsAuthor: (author) => knows.get(author) !== undefined,
  }
}
