import { RECEIPTS_PER_SERVICE } from './constants.ts'
import type { Sql } from './sql.ts'

/** A node's newest signed answer about a service. `node` is its address as text, `at` the signed seconds. */
export type ReceiptRecord = {
  readonly service: string
  readonly node: string
  readonly at: number
  readonly bytes: Uint8Array
}

export interface ReceiptStore {
  /** False where a newer one of this node is kept already. */
  put(record: ReceiptRecord): boolean
  /** Newest first. */
  ofService(service: string): ReceiptRecord[]
}

export function receiptStore(sql: Sql): ReceiptStore {
  const put = sql.prepare(`
    INSERT INTO receipts (service, node, at, bytes) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET at = excluded.at, bytes = excluded.bytes WHERE excluded.at >= at`)
  const ofService = sql.prepare(
    'SELECT service, node, at, bytes FROM receipts WHERE service = ? ORDER BY at DESC, node',
  )
  const count = sql.prepare('SELECT count(*) AS count FROM receipts WHERE service = ?')
  const trim = sql.prepare(`DELETE FROM receipts WHERE rowid IN
    (SELECT rowid FROM receipts WHERE service = ? ORDER BY at DESC LIMIT -1 OFFSET ${RECEIPTS_PER_SERVICE})`)
  return {
    put: ({ service, node, at, bytes }) =>
      sql.transaction(() => {
        const changed = put.run(service, node, at, bytes) === 1
        if ((count.get<{ count: number }>(service)?.count ?? 0) > RECEIPTS_PER_SERVICE) trim.run(service)
        return changed
      }),
    ofService: (service) => ofService.all<ReceiptRecord>(service).map((row) => ({ ...row })),
  }
}
