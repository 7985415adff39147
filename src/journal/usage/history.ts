import { mergePoints, type UsagePoint } from '../../base/run-usage.ts'
import { ENDED_RUNS_WITH_USAGE, USAGE_LEVELS, USAGE_RETENTION_MS } from '../constants.ts'
import type { Sql } from '../sql.ts'

/** What each run used, period by period: a bounded number of them, the older ones put together. */
export interface UsageHistory {
  /** Adds the newest. */
  add(runId: string, point: UsagePoint): void
  /** Oldest first. */
  points(runId: string): UsagePoint[]
}

type Row = UsageRow & { readonly number: number }
type UsageRow = Omit<UsagePoint, 'memoryBytes' | 'diskBytes'> & {
  readonly memoryBytes: number | null
  readonly diskBytes: number | null
}

const COLUMNS = `number, at, running_ms AS runningMs, cpu_ms AS cpuMs, received AS receivedBytes, sent AS sentBytes,
  memory_bytes AS memoryBytes, disk_bytes AS diskBytes`

export function usageHistory(sql: Sql): UsageHistory {
  const insert = sql.prepare(
    `INSERT INTO usage_points (run_id, level, number, at, running_ms, cpu_ms, received, sent, memory_bytes, disk_bytes)
      VALUES (?, ?, (SELECT coalesce(max(number), 0) + 1 FROM usage_points WHERE run_id = ? AND level = ?), ?, ?, ?, ?, ?, ?, ?)`,
  )
  const count = sql.prepare('SELECT count(*) AS count FROM usage_points WHERE run_id = ? AND level = ?')
  const oldest = sql.prepare(
    `SELECT ${COLUMNS} FROM usage_points WHERE run_id = ? AND level = ? ORDER BY number LIMIT ?`,
  )
  const remove = sql.prepare('DELETE FROM usage_points WHERE run_id = ? AND level = ? AND number <= ?')
  const all = sql.prepare(`SELECT ${COLUMNS} FROM usage_points WHERE run_id = ? ORDER BY level DESC, number`)

  function addAt(level: number, runId: string, point: UsagePoint): void {
    const { at, runningMs, cpuMs, receivedBytes, sentBytes, memoryBytes = null, diskBytes = null } = point
    insert.run(runId, level, runId, level, at, runningMs, cpuMs, receivedBytes, sentBytes, memoryBytes, diskBytes)
    const { points: max, together } = USAGE_LEVELS[level] as (typeof USAGE_LEVELS)[number]
    if ((count.get<{ count: number }>(runId, level)?.count ?? 0) < max + together) return
    const rows = oldest.all<Row>(runId, level, together)
    remove.run(runId, level, rows.at(-1)?.number ?? 0)
    if (level + 1 < USAGE_LEVELS.length) addAt(level + 1, runId, mergePoints(rows.map(pointIn)))
  }

  return {
    add: (runId, point) => addAt(0, runId, point),
    points: (runId) => all.all<Row>(runId).map(pointIn),
  }
}

function pointIn({ number: _number, memoryBytes, diskBytes, ...totals }: Row): UsagePoint {
  return { ...totals, memoryBytes: memoryBytes ?? undefined, diskBytes: diskBytes ?? undefined }
}

/** Forgets the history of runs that ended long ago, and of those beyond the bound. */
export function pruneUsage(sql: Sql): (nowMs: number) => void {
  const forget = sql.prepare(`WITH ended AS MATERIALIZED (
      SELECT run_id, updated_at FROM runs WHERE state IN ('exited', 'failed', 'stopped', 'refused')
        AND EXISTS (SELECT 1 FROM usage_points WHERE usage_points.run_id = runs.run_id))
    DELETE FROM usage_points WHERE run_id IN (SELECT run_id FROM ended WHERE updated_at < ?)
      OR run_id IN (SELECT run_id FROM ended ORDER BY updated_at DESC LIMIT -1 OFFSET ?)`)
  return (nowMs) => void forget.run(nowMs - USAGE_RETENTION_MS, ENDED_RUNS_WITH_USAGE)
}
