import type { ParkedService } from '../base/parked-service.ts'
import type { WakeCondition } from '../base/verdict.ts'
import type { Sql } from './sql.ts'

export interface ParkedStore {
  /** Replaces what was known of it. */
  put(parked: ParkedService): void
  remove(id: string): void
  all(): ParkedService[]
}

type Row = Omit<ParkedService, 'on'> & { conditions: string }

export function parkedStore(sql: Sql): ParkedStore {
  const put = sql.prepare(
    'INSERT OR REPLACE INTO sleepers (service, conditions, rank, since, arrived, expires) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const remove = sql.prepare('DELETE FROM sleepers WHERE service = ?')
  const all = sql.prepare('SELECT service AS id, conditions, rank, since, arrived, expires FROM sleepers')
  return {
    put: ({ id, on, rank, since, arrived, expires }) =>
      void put.run(id, JSON.stringify(on), rank, Math.floor(since), Math.floor(arrived), Math.floor(expires)),
    remove: (id) => void remove.run(id),
    all: () =>
      all.all<Row>().map(({ conditions, ...row }) => ({ ...row, on: JSON.parse(conditions) as WakeCondition[] })),
  }
}
