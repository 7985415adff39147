import { expect } from 'vitest'
import { mergePoints, type UsagePoint, type UsageRecord } from '../../../src/base/run-usage.ts'
import { ENDED_RUNS_WITH_USAGE, USAGE_LEVELS, USAGE_RETENTION_MS } from '../../../src/journal/constants.ts'
import type { Journal } from '../../../src/journal/index.ts'
import { it, NOW_MS, open } from './fixtures.ts'

const MINUTE_MS = 60_000
const MOST = USAGE_LEVELS.reduce((sum, { points, together }) => sum + points + together, 0)
const NONE = { runningMs: 0, cpuMs: 0, receivedBytes: 0, sentBytes: 0 }
const RECORD: UsageRecord = {
  ...{ ended: NONE, start: 0, current: NONE, periodFrom: NONE },
  ...{ memoryBytes: 0, diskBytes: 0, at: 1 },
}
const pointAt = (minute: number, more: Partial<UsagePoint> = {}): UsagePoint => ({
  ...{ at: NOW_MS + minute * MINUTE_MS, runningMs: MINUTE_MS, cpuMs: minute, receivedBytes: 1, sentBytes: 2 },
  ...{ memoryBytes: 1000 + minute, diskBytes: 5, ...more },
})
const begin = (journal: Journal, runId: string) =>
  journal.runs.create({ runId, service: 's', executor: 'host', plan: null, at: NOW_MS })
const sum = (points: readonly UsagePoint[], key: 'runningMs' | 'cpuMs' | 'receivedBytes' | 'sentBytes') =>
  points.reduce((total, point) => total + point[key], 0)

it('a run that goes on for weeks keeps a bounded number of periods, the newest by the minute', ({ journal }) => {
  begin(journal, 'r')
  const minutes = 20 * 24 * 60
  journal.transaction(() => {
    for (let minute = 1; minute <= minutes; minute++) journal.runs.recordUsage('r', RECORD, pointAt(minute))
  })
  const points = journal.runs.usagePoints('r')
  expect(points.length).toBeLessThanOrEqual(MOST)
  expect(points.slice(-USAGE_LEVELS[0].points)).toEqual(
    Array.from({ length: USAGE_LEVELS[0].points }, (_, index) => pointAt(minutes - USAGE_LEVELS[0].points + 1 + index)),
  )
  const spanDays = ((points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0)) / (24 * 3_600_000)
  expect(spanDays).toBeGreaterThan(7)
  expect(spanDays).toBeLessThan(9)
  // without a gap, and without a period that counts twice
  for (const [index, { at, runningMs }] of points.entries()) {
    if (index > 0) expect(at - (points[index - 1]?.at ?? 0)).toBe(runningMs)
  }
})

it('older periods are put together: nothing that was counted is lost, and the most memory is seen', ({ journal }) => {
  begin(journal, 'r')
  const { points: max, together } = USAGE_LEVELS[0]
  for (let minute = 1; minute <= max + together; minute++) {
    journal.runs.recordUsage('r', RECORD, pointAt(minute, minute === 3 ? { memoryBytes: 9_999 } : {}))
  }
  const points = journal.runs.usagePoints('r')
  expect(points).toHaveLength(max + 1)
  expect(points[0]).toMatchObject({ at: NOW_MS + together * MINUTE_MS, memoryBytes: 9_999, diskBytes: 5 })
  const count = max + together
  expect(sum(points, 'runningMs')).toBe(count * MINUTE_MS)
  expect(sum(points, 'cpuMs')).toBe((count * (count + 1)) / 2)
})

it('what was not measured stays unmeasured, and is no zero', ({ journal }) => {
  begin(journal, 'r')
  const unmeasured = pointAt(1, { memoryBytes: undefined, diskBytes: undefined })
  journal.runs.recordUsage('r', RECORD, unmeasured)
  expect(journal.runs.usagePoints('r')).toEqual([unmeasured])
  expect(mergePoints([unmeasured, unmeasured])).toMatchObject({ memoryBytes: undefined, diskBytes: undefined })
  const most = pointAt(2, { sentBytes: Number.MAX_SAFE_INTEGER })
  expect(mergePoints([most, most]).sentBytes).toBe(Number.MAX_SAFE_INTEGER)
})

it('the history is there after the journal was opened again, also of a run that has ended', ({ path }) => {
  {
    using journal = open(path)
    begin(journal, 'r')
    journal.runs.recordUsage('r', RECORD, pointAt(1))
    journal.runs.update('r', { at: NOW_MS, state: 'exited', exitCode: 0 })
  }
  using journal = open(path)
  journal.prune(10)
  expect(journal.runs.usagePoints('r')).toEqual([pointAt(1)])
})

it('the history of an ended run goes after its time, and of one that runs it stays', async ({ journal, clock }) => {
  for (const run of ['ended', 'runs']) {
    begin(journal, run)
    journal.runs.recordUsage(run, RECORD, pointAt(1))
  }
  journal.runs.update('ended', { at: clock.now(), state: 'failed' })
  await clock.advance(USAGE_RETENTION_MS + 1)
  journal.prune(10)
  expect(journal.runs.usagePoints('ended')).toEqual([])
  expect(journal.runs.usagePoints('runs')).toHaveLength(1)
})

it('of many runs that ended, those that ended last keep their history', ({ journal, clock }) => {
  journal.transaction(() => {
    for (let index = 0; index <= ENDED_RUNS_WITH_USAGE; index++) {
      begin(journal, `r${index}`)
      journal.runs.recordUsage(`r${index}`, RECORD, pointAt(1))
      journal.runs.update(`r${index}`, { at: clock.now() + index, state: 'stopped' })
    }
  })
  journal.prune(10)
  expect(journal.runs.usagePoints('r0')).toEqual([])
  expect(journal.runs.usagePoints('r1')).toHaveLength(1)
})
