import { addressBytes, parseAddress } from '../../../protocols/address.ts'
import type { Receipt } from '../../../protocols/receipt.ts'
import type { Clock } from '../../base/clock.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import type { RunRecord } from '../../base/run-record.ts'
import type { Journal } from '../../journal/index.ts'
import { receiptView } from '../receipts.ts'
import type { ServiceEntry, Services } from '../registry.ts'
import { entryFilter, rowFilter } from './service-filter.ts'
import type { DormitoryItem, Lists, Page, RunListItem, ServiceQuery } from './types.ts'

export interface ListsComponents {
  clock: Clock
  journal: Pick<Journal, 'rows'>
  services: Pick<Services, 'get' | 'entryOf' | 'state' | 'view'>
  /** where it waits */
  parked(id: string): Pick<DormitoryItem, 'since' | 'until' | 'on' | 'drained' | 'paused'> | undefined
  verified(receipt: Uint8Array): Receipt
}

/** A page that finds little ends after this time, and says where to go on: announcements wait for it. */
const PAGE_MS = 15
const FIRST = Number.MAX_SAFE_INTEGER

export function createLists({ clock, journal, services, parked, verified }: ListsComponents): Lists<ServiceEntry> {
  const { rows } = journal

  function servicePage({ limit, cursor, ...query }: ServiceQuery): Page<ServiceEntry> {
    const author = query.author === undefined ? undefined : addressOf(query.author)
    const filter = { ...rowFilter(query), author }
    const fits = entryFilter(query, services.state)
    const items: ServiceEntry[] = []
    const until = clock.monotonic() + PAGE_MS
    let before = cursor === undefined ? undefined : rowOf(cursor)
    do {
      const page = rows.page(filter, before, limit)
      before = page.next
      for (const { number, record } of page.rows) {
        const entry = services.entryOf(record)
        if (entry === undefined || !fits(entry)) continue
        items.push(entry)
        if (items.length === limit) return { items, next: String(number) }
      }
    } while (before !== undefined && clock.monotonic() < until)
    return { items, next: before?.toString() }
  }

  const nameOf = (id: string) => services.get(id)?.signed.body.name

  return {
    services: servicePage,
    runs({ state, service, limit, cursor }) {
      const { records, next } = rows.runs({ state, service }, cursor === undefined ? FIRST : rowOf(cursor), limit)
      return { items: records.map((run) => runItem(run, nameOf(run.service))), next: next?.toString() }
    },
    receipts({ service, limit, cursor }) {
      const { records, next } = rows.receipts({ service }, cursor === undefined ? FIRST : rowOf(cursor), limit)
      const items = records.map(({ service: id, bytes }) => ({
        service: id,
        name: nameOf(id),
        ...receiptView(verified(bytes)),
      }))
      return { items, next: next?.toString() }
    },
    dormitory(page) {
      const { items, next } = servicePage({ ...page, states: ['parked'] })
      return { items: items.flatMap((entry) => dormitoryItem(entry) ?? []), next }
    },
    counts: () => rows.counts(),
  }

  function dormitoryItem(entry: ServiceEntry): DormitoryItem | undefined {
    const waits = parked(entry.id)
    if (waits === undefined) return undefined
    const { id, name, author } = services.view(entry)
    const { rank = 0, reasons = [] } = entry.verdict?.verdict ?? {}
    return { id, name, author, ...waits, rank, reasons: reasons.filter(({ outcome }) => outcome !== 'pass') }
  }
}

function runItem(run: RunRecord, name: string | undefined): RunListItem {
  const { runId, service, executor, state, exitCode, detail, restarts } = run
  const seconds = (ms: number) => Math.floor(ms / 1000)
  const { createdAt, startedAt, updatedAt } = run
  return {
    ...{ runId, service, name, executor, state, exitCode, restarts },
    detail: detail === '' ? undefined : detail,
    createdAt: seconds(createdAt),
    startedAt: startedAt === undefined ? undefined : seconds(startedAt),
    updatedAt: seconds(updatedAt),
  }
}

function addressOf(text: string): Uint8Array {
  return decodeInput(() => addressBytes(parseAddress(text)))
}

function rowOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new InputError('the cursor is not one that a list gave; leave it out to begin with the first page')
}
