import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import { BUSY_TIMEOUT_MS } from './constants.ts'
import { damaged, explainSqlite, JournalDamagedError } from './errors.ts'
import { refuseNewer, schemaVersion } from './migrations.ts'
import { type Sql, sqlOf } from './sql.ts'
import type { StatementRecord } from './statements.ts'

/** A service as received: its signed body, the time of arrival (ms), and the best ticket. */
export type JournaledService = {
  readonly id: string
  readonly body: Uint8Array
  readonly receivedAt: number
  readonly depth: number
}

export type JournaledFilter = {
  /** arrived at or after this (ms) */
  readonly since?: number | undefined
  /** only so many, the ones that came last */
  readonly newest?: number | undefined
}

/** Reads a journal that another process may write. It writes nothing, and blocks no writer. */
export interface JournalReader extends Disposable {
  readonly path: string
  /** How many services `services` would bring. */
  count(filter?: JournaledFilter): number
  /** Services in the order of their arrival, `page` at a time: what is held in memory does not grow with the journal. */
  services(filter?: JournaledFilter, page?: number): Generator<JournaledService[]>
  /** Codes that a live service names; undefined of a journal that an older program wrote. */
  liveCodes(nowSeconds: number): ReadonlySet<string> | undefined
  /** What hubs and issuers said last, `page` at a time. None of a journal that an older program wrote. */
  statements(page?: number): Generator<StatementRecord[]>
}

/** Enough to keep a batch of decisions busy, few enough to be read in a millisecond. */
const PAGE = 256

/** Opens a journal to look into it, beside a running node or without one. Throws where there is none. */
export function openJournalReader(path: string): JournalReader {
  if (!existsSync(path)) throw new InputError(`there is no journal ${path}; a node writes one when it is started`)
  let open = connect(path)
  const sql = () => {
    // a node was started since: from now on pages are read together with its log
    if (open.alone && isInUse(path)) {
      open.database.close()
      open = connect(path)
    }
    return open.sql
  }
  return {
    path,
    count: (filter) => counted(sql(), filter),
    services: (filter, page = PAGE) => pages(sql, filter, page),
    statements: (page = PAGE) => statementPages(sql, page),
    liveCodes: (nowSeconds) => liveCodes(sql(), nowSeconds),
    [Symbol.dispose]() {
      if (open.database.isOpen) open.database.close()
    },
  }
}

const SERVICES = "FROM announcements WHERE kind = 'service' AND received_at >= ?"

function counted(sql: Sql, { since = 0, newest }: JournaledFilter = {}): number {
  const count = sql.prepare(`SELECT count(*) AS count ${SERVICES}`).get<{ count: number }>(since)?.count ?? 0
  return Math.min(count, newest ?? count)
}

/** By row number, which grows with every arrival: each page is a short read of its own, and the log can be cut between. */
function* pages(
  sql: () => Sql,
  { since = 0, newest }: JournaledFilter = {},
  page: number,
): Generator<JournaledService[]> {
  let after = newest === undefined ? 0 : before(sql(), since, newest)
  for (;;) {
    const select = sql().prepare(
      `SELECT rowid AS number, id, body, received_at AS receivedAt, depth ${SERVICES} AND rowid > ? ORDER BY rowid LIMIT ?`,
    )
    const rows = select.all<JournaledService & { number: number }>(since, after, page)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.number
    yield rows
  }
}

function* statementPages(sql: () => Sql, page: number): Generator<StatementRecord[]> {
  if (sql().prepare("SELECT 1 FROM sqlite_master WHERE name = 'statements'").get() === undefined) return
  for (let after = 0; ; ) {
    const select = sql().prepare(
      `SELECT rowid AS number, encoded, received_at AS receivedAt, via, own, put_at AS recordPublishedAt FROM statements
       WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    )
    const rows = select.all<Omit<StatementRecord, 'own'> & { own: number; number: number }>(after, page)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.number
    yield rows.map(({ number: _number, own, ...row }) => ({ ...row, own: own === 1 }))
  }
}

/** The row before the `newest` last ones. */
function before(sql: Sql, since: number, newest: number): number {
  const row = sql
    .prepare(`SELECT rowid AS number ${SERVICES} ORDER BY rowid DESC LIMIT 1 OFFSET ?`)
    .get<{ number: number }>(since, newest)
  return row?.number ?? 0
}

type Connection = { readonly database: DatabaseSync; readonly sql: Sql; readonly alone: boolean }

/** A file that no program has open is read as immutable: SQLite would leave files of its own beside it otherwise. */
function connect(path: string): Connection {
  const alone = !isInUse(path)
  const file = pathToFileURL(path)
  if (alone) file.searchParams.set('immutable', '1')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    if (schemaVersion(database) === 0) throw new JournalDamagedError(damaged(path, 'it has no schema'))
    refuseNewer(database, path)
    return { database, sql: sqlOf(database, path), alone }
  } catch (error) {
    if (database?.isOpen) database.close()
    throw explainSqlite(error, path)
  }
}

/** The log beside the file is there while a program has it open, and after one was killed. */
function isInUse(path: string): boolean {
  return existsSync(`${path}-wal`)
}

function liveCodes(sql: Sql, nowSeconds: number): ReadonlySet<string> | undefined {
  try {
    const rows = sql
      .prepare("SELECT DISTINCT code FROM announcements WHERE kind = 'service' AND state = 'live' AND expires > ?")
      .all<{ code: string | null }>(nowSeconds)
    return new Set(rows.flatMap(({ code }) => code ?? []))
  } catch {
    return undefined
  }
}
