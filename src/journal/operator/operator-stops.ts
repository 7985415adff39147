import type { Sql } from '../sql.ts'

/** The operator's own stops: local, and not undone by a restart. `at` in ms. */
export interface OperatorStopStore {
  add(service: string, at: number): void
  has(service: string): boolean
  all(): { service: string; at: number }[]
}

export function operatorStopStore(sql: Sql): OperatorStopStore {
  const add = sql.prepare('INSERT INTO stops (service, at) VALUES (?, ?) ON CONFLICT DO NOTHING')
  const has = sql.prepare('SELECT 1 FROM stops WHERE service = ?')
  const all = sql.prepare('SELECT service, at FROM stops ORDER BY at')
  return {
    add: (service, at) => void add.run(service, at),
    has: (service) => has.get(service) !== undefined,
    all: () => all.all<{ service: string; at: number }>().map((row) => ({ ...row })),
  }
}
