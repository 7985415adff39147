import { expect } from 'vitest'
import type { Grant } from '../../../src/base/verdict.ts'
import { it, NOW, NOW_MS, record } from './fixtures.ts'

const resources = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
const grant: Grant = { executor: 'host', ...resources, network: { mode: 'none' } }
const refused = { run: false, redirect: false, reasons: [] } as const
const policy = new Uint8Array(32)

it('prune forgets an expired announcement after its dedupe time, with all about it', async ({ clock, journal }) => {
  const row = record(1, { expires: NOW + 100 })
  journal.announcements.insert(row)
  journal.verdicts.add({ service: row.id, at: NOW_MS, policy, failure: 'x' })
  journal.receipts.put({ service: row.id, node: 'n', at: 1, bytes: policy })
  journal.parked.put({ id: row.id, on: [], rank: 0, since: NOW_MS, arrived: NOW_MS, expires: NOW_MS + 1 })
  await clock.advance((100 + 239) * 1000)
  expect(journal.prune(10)).toEqual([])
  await clock.advance(1000)
  expect(journal.prune(10)).toEqual([row.id])
  expect(journal.announcements.has(row.id)).toBe(false)
  expect(journal.verdicts.latest(row.id)).toBeUndefined()
  expect(journal.receipts.ofService(row.id)).toEqual([])
  expect(journal.parked.all()).toEqual([])
})

it('prune: does not forget what still runs', async ({ clock, journal }) => {
  const row = record(1, { expires: NOW + 1 })
  journal.announcements.insert(row)
  journal.runs.create({ runId: 'r', service: row.id, executor: 'host', plan: null, at: NOW_MS })
  await clock.advance(1000 * 1000)
  expect(journal.prune(10)).toEqual([])
  journal.runs.update('r', { at: clock.now(), state: 'stopped' })
  expect(journal.prune(10)).toEqual([row.id])
  expect(journal.runs.get('r')).toBeDefined()
  await clock.advance(8 * 24 * 3600 * 1000)
  journal.prune(10)
  expect(journal.runs.get('r')).toBeUndefined()
  expect(journal.runs.transitions('r')).toEqual([])
})

it('beyond its bound: refused of unknown authors first, never own, running or parked ones', ({ journal }) => {
  const known = Uint8Array.of(5)
  const rows = {
    own: record(1, { own: true, redirect: true, author: known }),
    ran: record(2, { redirect: false }),
    parked: record(3, { redirect: false, author: Uint8Array.of(6) }),
    refusedOfKnown: record(4, { redirect: false, author: known }),
    redirected: record(5, { redirect: true, author: Uint8Array.of(7) }),
    undecided: record(6, { author: Uint8Array.of(8) }),
    refused: record(7, { redirect: false, author: Uint8Array.of(9) }),
    superseded: record(8, { redirect: true, state: 'superseded', author: Uint8Array.of(10) }),
  }
  for (const row of Object.values(rows)) journal.announcements.insert(row)
  journal.runs.create({ runId: 'r', service: rows.ran.id, executor: 'host', plan: null, at: 1 })
  journal.runs.update('r', { at: 2, state: 'exited', exitCode: 0 })
  // the last is refused by its newest verdict, whatever the one before said
  for (const [{ id: service }, at, verdict] of [
    [rows.parked, 1, { ...refused, park: [{ on: 'capacity' }] }],
    [rows.refused, 1, { ...refused, run: grant }],
    [rows.refused, 2, refused],
  ] as const)
    journal.verdicts.add({ service, at, policy, verdict })
  const order: string[] = []
  const names = new Map(Object.entries(rows).map(([name, { id }]) => [id, name]))
  for (let max = 7; max >= 0; max--) order.push(...journal.prune(max).map((id) => names.get(id) as string))
  expect(order).toEqual(['refused', 'superseded', 'refusedOfKnown', 'redirected', 'undecided'])
  expect(journal.announcements.count()).toBe(3)
})

it('prune: bounds the heads too, oldest first, but not those of kept announcements', ({ journal }) => {
  const row = record(1, { own: true })
  journal.announcements.insert(row)
  journal.heads.put(row.author, row.name, { kind: 'service', seq: 0, id: row.id, forgetAt: NOW_MS + 1 })
  for (let number = 2; number < 30; number++) {
    const head = { kind: 'stop', seq: 0, id: `${number}`, forgetAt: NOW_MS + number } as const
    journal.heads.put(Uint8Array.of(number), 'x', head)
  }
  journal.prune(2)
  expect(journal.heads.get(row.author, row.name)).toBeDefined()
  expect(journal.heads.get(Uint8Array.of(2), 'x')).toBeUndefined()
  expect(journal.heads.get(Uint8Array.of(29), 'x')).toBeDefined()
})
