import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { FIRST_SCHEMA } from '../../../src/journal/schema.ts'
import { it, NOW, NOW_MS, open, record } from './fixtures.ts'

const sleeper = {
  id: 'a',
  on: [{ on: 'quorum', code: 'c' }],
  rank: 1.5,
  since: NOW_MS,
  arrived: NOW_MS - 1,
  expires: NOW_MS + 1,
} as const

it('sleepers: are kept as they were put last, over a reopening', ({ path }) => {
  {
    using journal = open(path)
    journal.parked.put({ ...sleeper, rank: 9 })
    journal.parked.put(sleeper)
    journal.parked.put({ ...sleeper, id: 'b' })
    journal.parked.remove('b')
    journal.parked.remove('unknown')
  }
  using journal = open(path)
  expect(journal.parked.all()).toEqual([sleeper])
})

it('sleepers: are forgotten with their service', async ({ clock, journal }) => {
  const row = record(1, { expires: NOW + 1 })
  journal.announcements.insert(row)
  journal.parked.put({ ...sleeper, id: row.id })
  await clock.advance(1000 * 1000)
  expect(journal.prune(10)).toEqual([row.id])
  expect(journal.parked.all()).toEqual([])
})

it('sleepers: have room in a journal that was written before there were any', ({ path }) => {
  {
    using old = new DatabaseSync(path)
    old.exec(`${FIRST_SCHEMA}; PRAGMA user_version = 1; INSERT INTO meta VALUES ('k', 'v')`)
  }
  using journal = open(path)
  journal.parked.put(sleeper)
  expect(journal.parked.all()).toEqual([sleeper])
  expect(journal.meta.get('k')).toBe('v')
})
