import { NotFoundError } from '../base/errors.ts'
import type { RunRecord, RunState } from '../base/run-record.ts'
import type { Sql } from './sql.ts'
import { type RunUsageStore, runUsageStore } from './usage/run-usage.ts'

type RunChange = Partial<
  Pick<RunRecord, 'state' | 'handle' | 'wanted' | 'startedAt' | 'exitCode' | 'detail' | 'restarts'>
> & { at: number }

/** Runs and how they came where they are. Every call is committed when it returns. */
export interface RunStore extends RunUsageStore {
  /** State `decided`, wanted `run`. */
  create(run: { runId: string; service: string; executor: string; plan: unknown; at: number }): void
  /** Changes what is named, and appends a transition when the state changes. Throws NotFoundError. */
  update(runId: string, change: RunChange): void
  get(runId: string): RunRecord | undefined
  /** The newest. */
  ofService(service: string): RunRecord | undefined
  unfinished(): RunRecord[]
  transitions(runId: string): { state: RunState; at: number; detail?: string }[]
  /** Newest first. */
  all(): RunRecord[]
}

export type RunRow = Omit<RunRecord, 'plan' | 'handle' | 'startedAt' | 'exitCode' | 'detail'> & {
  plan: string
  handle: string
  startedAt: number | null
  exitCode: number | null
  detail: string | null
}

export const RUN_COLUMNS = `run_id AS runId, service, executor, state, plan, handle, wanted, created_at AS createdAt,
  updated_at AS updatedAt, started_at AS startedAt, exit_code AS exitCode, detail, restarts`

export function runStore(sql: Sql): RunStore {
  const create = sql.prepare(
    `INSERT INTO runs (run_id, service, executor, state, plan, created_at, updated_at) VALUES (?, ?, ?, 'decided', ?, ?, ?)`,
  )
  const update = sql.prepare(`UPDATE runs SET state = ?, handle = ?, wanted = ?, started_at = ?, exit_code = ?,
    detail = ?, restarts = ?, updated_at = ? WHERE run_id = ?`)
  const append = sql.prepare('INSERT INTO transitions (run_id, state, at, detail) VALUES (?, ?, ?, ?)')
  const get = sql.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE run_id = ?`)
  const ofService = sql.prepare(
    // by the order in which they were written: a clock that was set back makes no new run an old one
    `SELECT ${RUN_COLUMNS} FROM runs WHERE service = ? ORDER BY rowid DESC LIMIT 1`,
  )
  const unfinished = sql.prepare(
    `SELECT ${RUN_COLUMNS} FROM runs WHERE state NOT IN ('exited', 'failed', 'stopped', 'refused') ORDER BY created_at, rowid`,
  )
  const transitions = sql.prepare('SELECT state, at, detail FROM transitions WHERE run_id = ? ORDER BY number')
  const all = sql.prepare(`SELECT ${RUN_COLUMNS} FROM runs ORDER BY created_at DESC, rowid DESC`)
  const one = (row: RunRow | undefined) => (row === undefined ? undefined : runRecordOf(row))
  return {
    ...runUsageStore(sql),
    create: ({ runId, service, executor, plan, at }) =>
      sql.transaction(() => {
        create.run(runId, service, executor, jsonOf(plan), at, at)
        append.run(runId, 'decided', at, null)
      }),
    update: (runId, { at, ...change }) =>
      sql.transaction(() => {
        const before = one(get.get<RunRow>(runId))
        if (before === undefined) throw new NotFoundError(`there is no run "${runId}" in the journal`)
        const after: RunRecord = { ...before, ...defined(change) }
        update.run(
          after.state,
          jsonOf(after.handle),
          after.wanted,
          after.startedAt ?? null,
          after.exitCode ?? null,
          after.detail ?? null,
          after.restarts,
          at,
          runId,
        )
        if (after.state !== before.state) append.run(runId, after.state, at, change.detail ?? null)
      }),
    get: (runId) => one(get.get<RunRow>(runId)),
    ofService: (service) => one(ofService.get<RunRow>(service)),
    unfinished: () => unfinished.all<RunRow>().map(runRecordOf),
    transitions: (runId) =>
      transitions
        .all<{ state: RunState; at: number; detail: string | null }>(runId)
        .map(({ state, at, detail }) => ({ state, at, ...(detail === null ? {} : { detail }) })),
    all: () => all.all<RunRow>().map(runRecordOf),
  }
}

export function runRecordOf({ plan, handle, startedAt, exitCode, detail, ...row }: RunRow): RunRecord {
  return {
    ...row,
    plan: JSON.parse(plan),
    handle: JSON.parse(handle),
    ...(startedAt === null ? {} : { startedAt }),
    ...(exitCode === null ? {} : { exitCode }),
    ...(detail === null ? {} : { detail }),
  }
}

/** An undefined field is left unchanged. */
function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value ?? null)
}
