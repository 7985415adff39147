import type { Verdict } from '../base/verdict.ts'
import { VERDICTS_PER_SERVICE } from './constants.ts'
import type { VerdictKind } from './lists/service-rows.ts'
import type { Sql } from './sql.ts'

/** One decision about one service. `at` in ms; `policy` is the sha256 of the policy in force. */
export type VerdictRecord = {
  readonly service: string
  readonly at: number
  readonly policy: Uint8Array
  /** undefined where the runner failed */
  readonly verdict?: Verdict | undefined
  /** how the runner failed */
  readonly failure?: string | undefined
}

export interface VerdictStore {
  add(record: VerdictRecord): void
  latest(service: string): VerdictRecord | undefined
  /** Newest first. */
  history(service: string): VerdictRecord[]
}

type Row = { service: string; at: number; policy: Uint8Array; verdict: string | null; failure: string | null }

export function verdictStore(sql: Sql): VerdictStore {
  const columns = 'service, at, policy, verdict, failure'
  const add = sql.prepare(`INSERT INTO verdicts (${columns}, holds) VALUES (?, ?, ?, ?, ?, ?)`)
  const setKind = sql.prepare('UPDATE announcements SET disposition = ? WHERE id = ?')
  const trim = sql.prepare(`DELETE FROM verdicts WHERE number IN
    (SELECT number FROM verdicts WHERE service = ? ORDER BY number DESC LIMIT -1 OFFSET ${VERDICTS_PER_SERVICE})`)
  const count = sql.prepare('SELECT count(*) AS count FROM verdicts WHERE service = ?')
  const latest = sql.prepare(`SELECT ${columns} FROM verdicts WHERE service = ? ORDER BY number DESC LIMIT 1`)
  const history = sql.prepare(`SELECT ${columns} FROM verdicts WHERE service = ? ORDER BY number DESC`)
  return {
    add: ({ service, at, policy, verdict, failure }) =>
      sql.transaction(() => {
        const holds = verdict !== undefined && (verdict.run !== false || (verdict.park?.length ?? 0) > 0)
        const json = verdict === undefined ? null : JSON.stringify(verdict)
        add.run(service, at, policy, json, failure ?? null, Number(holds))
        setKind.run(kindOf(verdict), service)
        if ((count.get<{ count: number }>(service)?.count ?? 0) > VERDICTS_PER_SERVICE) trim.run(service)
      }),
    latest: (service) => {
      const row = latest.get<Row>(service)
      return row === undefined ? undefined : recordOf(row)
    },
    history: (service) => history.all<Row>(service).map(recordOf),
  }
}

/** For lists, which are filtered by it. */
function kindOf(verdict: Verdict | undefined): VerdictKind {
  if (verdict === undefined) return 'refused'
  if (verdict.run !== false) return 'run'
  if ((verdict.park?.length ?? 0) > 0) return 'parked'
  return verdict.redirect ? 'redirected' : 'refused'
}

function recordOf({ verdict, failure, ...row }: Row): VerdictRecord {
  return {
    ...row,
    verdict: verdict === null ? undefined : (JSON.parse(verdict) as Verdict),
    failure: failure ?? undefined,
  }
}
