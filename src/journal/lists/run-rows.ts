import type { RunRecord, RunState } from '../../base/run-record.ts'
import type { ReceiptRecord } from '../receipts.ts'
import { RUN_COLUMNS, type RunRow, runRecordOf } from '../runs.ts'
import type { Sql } from '../sql.ts'

export type Rows<T> = { readonly records: T[]; readonly next: number | undefined }

/** Runs and receipts by pages, newest first. `before`: a row number, as `next` of the page before. */
export interface RunRowReader {
  runs(
    filter: { state?: RunState | undefined; service?: string | undefined },
    before: number,
    max: number,
  ): Rows<RunRecord>
  receipts(filter: { service?: string | undefined }, before: number, max: number): Rows<ReceiptRecord>
}

export function runRowReader(sql: Sql): RunRowReader {
  const runs = sql.prepare(`SELECT rowid AS number, ${RUN_COLUMNS} FROM runs WHERE rowid < :before
    AND (:state IS NULL OR state = :state) AND (:service IS NULL OR service = :service) ORDER BY rowid DESC LIMIT :max`)
  const receiptColumns = 'rowid AS number, service, node, at, bytes'
  const receipts = sql.prepare(
    `SELECT ${receiptColumns} FROM receipts WHERE rowid < :before ORDER BY rowid DESC LIMIT :max`,
  )
  const receiptsOf = sql.prepare(
    `SELECT ${receiptColumns} FROM receipts WHERE service = :service AND rowid < :before ORDER BY rowid DESC LIMIT :max`,
  )
  return {
    runs({ state = null, service = null }, before, max) {
      return pageOf(runs.all<RunRow & { number: number }>({ state, service, before, max }), max, runRecordOf)
    },
    receipts({ service }, before, max) {
      const rows =
        service === undefined
          ? receipts.all<ReceiptRecord & { number: number }>({ before, max })
          : receiptsOf.all<ReceiptRecord & { number: number }>({ service, before, max })
      return pageOf(rows, max, (row) => ({ ...row }))
    },
  }
}

function pageOf<Row extends object, T>(
  rows: (Row & { number: number })[],
  max: number,
  read: (row: Row) => T,
): Rows<T> {
  const records = rows.map(({ number: _number, ...row }) => read(row as unknown as Row))
  return { records, next: rows.length === max ? rows.at(-1)?.number : undefined }
}
