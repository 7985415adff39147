import type { UsageRecord } from '../base/run-usage.ts'
import type { Sql } from './sql.ts'

/** What runs have used. A call is committed when it returns. */
export interface RunUsageStore {
  usage(runId: string): UsageRecord | undefined
  /** In the place of what was recorded of the run before. */
  recordUsage(runId: string, usage: UsageRecord): void
}

export function runUsageStore(sql: Sql): RunUsageStore {
  const get = sql.prepare(
    `SELECT ended_ms AS endedMs, ended_cpu_ms AS endedCpuMs, start, running_ms AS runningMs,
      cpu_ms AS cpuMs, memory_bytes AS memoryBytes, at FROM run_usage WHERE run_id = ?`,
  )
  const put = sql.prepare(
    `INSERT OR REPLACE INTO run_usage (run_id, ended_ms, ended_cpu_ms, start, running_ms, cpu_ms, memory_bytes, at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return {
    usage: (runId) => get.get<UsageRecord>(runId),
    recordUsage(runId, { endedMs, endedCpuMs, start, runningMs, cpuMs, memoryBytes, at }) {
      const whole = [endedMs, endedCpuMs, start, runningMs, cpuMs, memoryBytes, at].map(Math.round)
      put.run(runId, ...whole)
    },
  }
}
