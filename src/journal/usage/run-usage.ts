import type { UsagePoint, UsageRecord, UsageTotals } from '../../base/run-usage.ts'
import type { Sql } from '../sql.ts'
import { type UsageHistory, usageHistory } from './history.ts'

/** What runs have used. A call is committed when it returns. */
export interface RunUsageStore {
  usage(runId: string): UsageRecord | undefined
  /** In the place of what was recorded of the run before; `point` is added to its history, both or none. */
  recordUsage(runId: string, usage: UsageRecord, point: UsagePoint): void
  /** The history of a run, oldest first. */
  usagePoints: UsageHistory['points']
}

type Row = Pick<UsageRecord, 'start' | 'memoryBytes' | 'diskBytes' | 'at'> &
  Record<`${Part}${keyof UsageTotals}`, number>
type Part = 'ended_' | 'current_' | 'from_'

export function runUsageStore(sql: Sql): RunUsageStore {
  const get = sql.prepare(
    `SELECT start, memory_bytes AS memoryBytes, disk_bytes AS diskBytes, at,
      ended_ms AS ended_runningMs, ended_cpu_ms AS ended_cpuMs,
      ended_received AS ended_receivedBytes, ended_sent AS ended_sentBytes,
      running_ms AS current_runningMs, cpu_ms AS current_cpuMs,
      received AS current_receivedBytes, sent AS current_sentBytes,
      from_ms AS from_runningMs, from_cpu_ms AS from_cpuMs,
      from_received AS from_receivedBytes, from_sent AS from_sentBytes
      FROM run_usage WHERE run_id = ?`,
  )
  const put = sql.prepare(
    `INSERT OR REPLACE INTO run_usage (run_id, start, memory_bytes, disk_bytes, at,
      ended_ms, ended_cpu_ms, ended_received, ended_sent,
      running_ms, cpu_ms, received, sent,
      from_ms, from_cpu_ms, from_received, from_sent)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const history = usageHistory(sql)
  return {
    usagePoints: history.points,
    usage(runId) {
      const row = get.get<Row>(runId)
      if (row === undefined) return undefined
      const { start, memoryBytes, diskBytes, at } = row
      const part = (name: Part): UsageTotals => ({
        runningMs: row[`${name}runningMs`],
        cpuMs: row[`${name}cpuMs`],
        receivedBytes: row[`${name}receivedBytes`],
        sentBytes: row[`${name}sentBytes`],
      })
      return {
        ...{ ended: part('ended_'), start, current: part('current_'), periodFrom: part('from_') },
        ...{ memoryBytes, diskBytes, at },
      }
    },
    recordUsage: (runId, { ended, start, current, periodFrom, memoryBytes, diskBytes, at }, point) =>
      sql.transaction(() => {
        put.run(runId, start, memoryBytes, diskBytes, at, ...values(ended), ...values(current), ...values(periodFrom))
        history.add(runId, point)
      }),
  }
}

function values({ runningMs, cpuMs, receivedBytes, sentBytes }: UsageTotals): number[] {
  return [runningMs, cpuMs, receivedBytes, sentBytes]
}
