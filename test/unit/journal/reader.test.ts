import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { type AnnouncementRecord, type Journal, openJournalReader } from '../../../src/journal/index.ts'
import { newSigner } from '../../fixtures/mesh/announcement-of.ts'
import { attestationBy } from '../../fixtures/trust/statements.ts'
import { it, NOW_MS, open, record, temporaryFolder } from './fixtures.ts'

function idsOf(reader: ReturnType<typeof openJournalReader>, ...args: Parameters<typeof reader.services>): string[] {
  return [...reader.services(...args)].flat().map(({ id }) => id)
}

function fill(journal: Journal, length: number, changes: Record<number, Partial<AnnouncementRecord>> = {}) {
  const records = Array.from({ length }, (_, number) => record(number, changes[number]))
  for (const each of records) journal.announcements.insert(each)
  return records
}

it('a reader: brings the services in order of arrival, page by page, and no stops', ({ path }) => {
  using journal = open(path)
  const records = fill(journal, 25, { 7: { kind: 'stop' } })
  const wanted = records.filter(({ kind }) => kind === 'service').map(({ id }) => id)
  using reader = openJournalReader(path)
  expect(idsOf(reader, {}, 4)).toEqual(wanted)
  expect([...reader.services({}, 10)].map((page) => page.length)).toEqual([10, 10, 4])
  expect(reader.count()).toBe(24)
  const [[first] = []] = reader.services()
  expect(first).toMatchObject({ id: wanted[0], body: records[0]?.body, depth: 3, receivedAt: NOW_MS })
})

it('a reader: brings only what came since, and only the newest', ({ path }) => {
  using journal = open(path)
  const ids = fill(journal, 10).map(({ id }) => id)
  using reader = openJournalReader(path)
  expect(idsOf(reader, { since: NOW_MS + 6 })).toEqual(ids.slice(6))
  expect(idsOf(reader, { newest: 3 }, 2)).toEqual(ids.slice(7))
  expect(idsOf(reader, { newest: 30 })).toEqual(ids)
  expect(idsOf(reader, { since: NOW_MS + 6, newest: 2 })).toEqual(ids.slice(8))
  const counts = [{ since: NOW_MS + 6 }, { newest: 3 }, { newest: 30 }].map((which) => reader.count(which))
  expect(counts).toEqual([4, 3, 10])
})

it('a reader: sees what a running node adds, and follows a node that starts meanwhile', ({ path }) => {
  open(path)[Symbol.dispose]()
  using reader = openJournalReader(path)
  const pages = reader.services({}, 1)
  using journal = open(path)
  journal.announcements.insert(record(1))
  expect(pages.next().value).toHaveLength(1)
  journal.announcements.insert(record(2))
  expect(pages.next().value).toHaveLength(1)
  expect(pages.next().done).toBe(true)
})

it('a reader: brings the statements that stand, page by page, and none of a journal that had none yet', ({ path }) => {
  const kept = Array.from({ length: 5 }, (_, seq) => {
    const encoded = attestationBy(newSigner(), { clock: manualClock(NOW_MS) }, { seq })
    return { encoded, receivedAt: NOW_MS + seq, via: 'gossip' as const, own: seq === 2, recordPublishedAt: 0 }
  })
  {
    using journal = open(path)
    for (const record of kept) journal.statements.put(record)
  }
  {
    using reader = openJournalReader(path)
    expect([...reader.statements(2)].map((page) => page.length)).toEqual([2, 2, 1])
    expect([...reader.statements()].flat()).toEqual(kept)
  }
  const older = new DatabaseSync(path)
  older.exec('DROP TABLE statements; PRAGMA user_version = 2')
  older.close()
  using reader = openJournalReader(path)
  expect([...reader.statements()]).toEqual([])
})

it('a reader: leaves nothing beside a journal that no process has open', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'journal?.sqlite')
  const journal = open(path)
  journal.announcements.insert(record(1))
  journal[Symbol.dispose]()
  {
    using reader = openJournalReader(path)
    expect(reader.count()).toBe(1)
    expect(readdirSync(folder.path)).toEqual(['journal?.sqlite'])
  }
  expect(readdirSync(folder.path)).toEqual(['journal?.sqlite'])
})

it('a reader: says in one sentence what is no journal', ({ path }) => {
  expect(() => openJournalReader(path)).toThrow(/there is no journal .*journal\.db/)
  writeFileSync(path, 'x'.repeat(5000))
  expect(() => openJournalReader(path)).toThrow(/is damaged or no journal at all/)
  writeFileSync(path, '')
  expect(() => openJournalReader(path)).toThrow(/it has no schema/)
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 999')
  newer.close()
  expect(() => openJournalReader(path)).toThrow(/use the newer thundercloud/)
})
