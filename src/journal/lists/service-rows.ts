import type { AnnouncementRecord } from '../announcement-record.ts'
import { type AnnouncementRow, COLUMNS, recordOf } from '../announcement-row.ts'
import type { Sql, Statement } from '../sql.ts'

/** What the newest verdict on a service comes to. A runner that failed has refused it. */
export type VerdictKind = 'run' | 'parked' | 'redirected' | 'refused'

/** held: has or had a run, or is to get one */
export type RowKind = VerdictKind | 'undecided' | 'held'

export type ServiceRowFilter = {
  readonly author?: Uint8Array | undefined
  /** of any of these */
  readonly kinds?: readonly RowKind[] | undefined
  /** Only rows whose signed body has this text somewhere, whatever the case of ASCII letters. */
  readonly text?: string | undefined
  /** Of many rows the caller takes few: so many are read at once as take a few milliseconds. */
  readonly slice?: boolean | undefined
}

/** Newest first, and before which row the next page begins; undefined at the end. A slice may be empty before the end. */
export type ServiceRows = {
  readonly rows: readonly { readonly number: number; readonly record: AnnouncementRecord }[]
  readonly next: number | undefined
}

export interface ServiceRowReader {
  /** Services that came before the row `before`, `max` of them. */
  page(filter: ServiceRowFilter, before: number | undefined, max: number): ServiceRows
  counts(): Record<VerdictKind | 'undecided', number>
}

/** Rows of one slice: a few milliseconds. */
const SLICE_ROWS = 4_000
/** Also of those that an index finds, where a text is looked for in each. */
const RANGE = 'announcements.rowid < :before AND announcements.rowid >= :from'

/** Each is answered by an index, newest first: of no kind more than a page is read. */
const OF_KIND: Record<RowKind, string> = {
  ...{ run: ofVerdict('run'), parked: ofVerdict('parked'), redirected: ofVerdict('redirected') },
  refused: ofVerdict('refused'),
  undecided: newest('disposition IS NULL'),
  held: `SELECT * FROM (SELECT announcements.rowid FROM (SELECT DISTINCT service FROM runs) run
    CROSS JOIN announcements ON announcements.id = run.service WHERE ${RANGE}
    UNION SELECT rowid FROM announcements WHERE kind = 'service' AND disposition = 'run' AND ${RANGE})`,
}

export function serviceRowReader(sql: Sql): ServiceRowReader {
  const statements = new Map<string, Statement>()
  const last = sql.prepare('SELECT max(rowid) AS number FROM announcements')
  const counts = sql.prepare(
    "SELECT disposition, count(*) AS count FROM announcements WHERE kind = 'service' GROUP BY disposition",
  )

  /** Each combination of filters is prepared once. */
  function prepared({ author, kinds, text }: ServiceRowFilter): Statement {
    const where = ["kind = 'service'", RANGE]
    if (author !== undefined) where.push('author = :author')
    if (kinds !== undefined) where.push(author === undefined && text === undefined ? found(kinds) : fits(kinds))
    if (text !== undefined) where.push('instr(lower(CAST(body AS TEXT)), :text) > 0')
    const query = `SELECT announcements.rowid AS number, ${COLUMNS} FROM announcements WHERE ${where.join(' AND ')}
      ORDER BY announcements.rowid DESC LIMIT :max`
    const known = statements.get(query)
    if (known !== undefined) return known
    const made = sql.prepare(query)
    statements.set(query, made)
    return made
  }

  return {
    page(filter, before, max) {
      const above = before ?? (last.get<{ number: number | null }>()?.number ?? 0) + 1
      const sliced = filter.slice === true || filter.text !== undefined
      const from = sliced ? Math.max(0, above - SLICE_ROWS) : 0
      const found = prepared(filter).all<AnnouncementRow & { number: number }>({
        ...{ before: above, from, max },
        ...(filter.author === undefined ? {} : { author: filter.author }),
        ...(filter.text === undefined ? {} : { text: filter.text.toLowerCase() }),
      })
      const rows = found.map(({ number, ...row }) => ({ number, record: recordOf(row) }))
      const end = rows.at(-1)
      if (rows.length === max && end !== undefined) return { rows, next: end.number }
      return { rows, next: from > 0 ? from : undefined }
    },
    counts() {
      const found = { run: 0, parked: 0, redirected: 0, refused: 0, undecided: 0 }
      for (const { disposition, count } of counts.all<{ disposition: VerdictKind | null; count: number }>()) {
        found[disposition ?? 'undecided'] = count
      }
      return found
    },
  }
}

/** A page of each kind is found by an index. */
function found(kinds: readonly RowKind[]): string {
  return `announcements.rowid IN (${[...kinds]
    .sort()
    .map((kind) => `SELECT * FROM (${OF_KIND[kind]})`)
    .join(' UNION ')})`
}

/** Rows that something else has found, which may be few of a kind. */
function fits(kinds: readonly RowKind[]): string {
  const conditions = [...kinds].sort().map((kind) => {
    if (kind === 'undecided') return 'disposition IS NULL'
    return kind === 'held' ? `announcements.rowid IN (${OF_KIND.held})` : `disposition = '${kind}'`
  })
  return `(${conditions.join(' OR ')})`
}

function ofVerdict(kind: VerdictKind): string {
  return newest(`disposition = '${kind}'`)
}

function newest(condition: string): string {
  return `SELECT rowid FROM announcements WHERE kind = 'service' AND ${condition} AND ${RANGE}
    ORDER BY rowid DESC LIMIT :max`
}
