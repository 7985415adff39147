import { DEDUPE_AFTER_EXPIRY_SECONDS } from '../../protocols/limits.ts'
import { FINISHED_RUN_RETENTION_MS, HEADS_PER_ANNOUNCEMENT, PRUNE_SLACK } from './constants.ts'
import { keyValueStore } from './key-value.ts'
import type { Sql } from './sql.ts'
import { pruneUsage } from './usage/history.ts'

/** Own, run here (now or before: a task never runs twice), or waiting to run: such a service is not forgotten early. */
const HELD = `own = 1
  OR EXISTS (SELECT 1 FROM runs WHERE runs.service = announcements.id)
  OR EXISTS (SELECT 1 FROM verdicts v WHERE v.service = announcements.id AND v.holds = 1
    AND v.number = (SELECT max(number) FROM verdicts w WHERE w.service = announcements.id))`

/** The key of the number of live services that were removed for lack of space. */
const FORGOTTEN = 'forgotten'

type Surplus = { id: string; kind: string; state: string; expires: number }

const UNFINISHED = `state NOT IN ('exited', 'failed', 'stopped', 'refused')`

/** Forgets what is over, then what matters least, until `max` announcements are left. Answers the forgotten ids. */
export function createPrune(sql: Sql): {
  prune(nowMs: number, max: number): string[]
  forgotten(nowMs: number): number
} {
  const expired = sql.prepare(`SELECT id FROM announcements WHERE expires <= ?
    AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.service = announcements.id AND runs.${UNFINISHED})`)
  const count = sql.prepare('SELECT count(*) AS count FROM announcements')
  const least = sql.prepare(`
    WITH held AS MATERIALIZED (SELECT id, author FROM announcements WHERE ${HELD})
    SELECT id, kind, state, expires FROM announcements WHERE id NOT IN (SELECT id FROM held)
    ORDER BY CASE WHEN state <> 'live' OR redirect = 0 OR (kind = 'stop' AND follows IS NULL) THEN 0 WHEN redirect = 1 THEN 1 ELSE 2 END,
      author IN (SELECT author FROM held), received_at LIMIT ?`)
  const forget = [
    'announcements WHERE id',
    'verdicts WHERE service',
    'receipts WHERE service',
    'published WHERE service',
    'sleepers WHERE service',
    'candidates WHERE service',
  ].map((where) => sql.prepare(`DELETE FROM ${where} = ?`))
  const gone = (table: string) => `NOT EXISTS (SELECT 1 FROM announcements a WHERE a.id = ${table}.service)`
  const oldRuns = sql.prepare(`DELETE FROM runs WHERE updated_at < ? AND NOT ${UNFINISHED} AND ${gone('runs')}`)
  const oldVerdicts = sql.prepare(`DELETE FROM verdicts WHERE at < ? AND ${gone('verdicts')}`)
  const oldReceipts = sql.prepare(`DELETE FROM receipts WHERE at < ? AND ${gone('receipts')}`)
  const oldHeads = sql.prepare('DELETE FROM heads WHERE forget_at <= ?')
  const surplusHeads = sql.prepare(`DELETE FROM heads WHERE (author, name) IN (
    SELECT author, name FROM heads WHERE NOT EXISTS (SELECT 1 FROM announcements a WHERE a.id = heads.id)
    ORDER BY forget_at LIMIT max(0, (SELECT count(*) FROM heads) - ?))`)
  const forgetUsage = pruneUsage(sql)
  const meta = keyValueStore(sql)

  /** Live services that were forgotten, until the last of them has expired. A service that came again counts still. */
  function forgottenBefore(nowMs: number): { count: number; until: number } {
    const kept = JSON.parse(meta.get(FORGOTTEN) ?? '{"count":0,"until":0}') as { count: number; until: number }
    return kept.until * 1000 > nowMs ? kept : { count: 0, until: 0 }
  }

  function prune(nowMs: number, max: number): string[] {
    return sql.transaction(() => {
      const ids = expired
        .all<{ id: string }>(Math.floor(nowMs / 1000) - DEDUPE_AFTER_EXPIRY_SECONDS)
        .map(({ id }) => id)
      const surplus = (count.get<{ count: number }>()?.count ?? 0) - ids.length - max
      const drop = (id: string) => {
        for (const statement of forget) statement.run(id)
      }
      ids.forEach(drop)
      if (surplus > 0) {
        const rows = least.all<Surplus>(Math.ceil(surplus + max * PRUNE_SLACK))
        const live = rows.filter(({ kind, state, expires }) => {
          return kind === 'service' && state === 'live' && expires * 1000 > nowMs
        })
        if (live.length > 0) {
          const before = forgottenBefore(nowMs)
          const until = Math.max(before.until, ...live.map(({ expires }) => expires))
          meta.set(FORGOTTEN, JSON.stringify({ count: before.count + live.length, until }))
        }
        const more = rows.map(({ id }) => id)
        more.forEach(drop)
        ids.push(...more)
      }
      const old = nowMs - FINISHED_RUN_RETENTION_MS
      oldRuns.run(old)
      forgetUsage(nowMs)
      oldVerdicts.run(old)
      oldReceipts.run(Math.floor(old / 1000))
      oldHeads.run(nowMs)
      surplusHeads.run(max * HEADS_PER_ANNOUNCEMENT)
      return ids
    })
  }

  return { prune, forgotten: (nowMs) => forgottenBefore(nowMs).count }
}
