import type { Sql } from './sql.ts'

/** Small facts about this journal, by name. */
export interface KeyValueStore {
  get(key: string): string | undefined
  set(key: string, value: string): void
}

export function keyValueStore(sql: Sql): KeyValueStore {
  const get = sql.prepare('SELECT value FROM meta WHERE key = ?')
  const set = sql.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)')
  return {
    get: (key) => get.get<{ value: string }>(key)?.value,
    set: (key, value) => void set.run(key, value),
  }
}
