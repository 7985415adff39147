import { expect, it } from 'vitest'
import { addLook, type UsageLook, type UsageRecord, type UsageTotals, usageOf } from '../../../src/base/run-usage.ts'

const KEYS = ['runningMs', 'cpuMs', 'receivedBytes', 'sentBytes'] as const
const look = (start: number, value: number): UsageLook => ({
  ...{ start, at: 1, runningMs: value, cpuMs: value, receivedBytes: value, sentBytes: value },
})
const usageAfter = (...looks: UsageLook[]) => {
  const record = looks.reduce<UsageRecord | undefined>(addLook, undefined)
  if (record === undefined) throw new Error('no look')
  return usageOf(record)
}

it('periods follow one another without a gap, over starts and looks that say less', () => {
  const looks = [look(0, 10), look(0, 25), look(0, 20), look(1, 5), look(1, 0), look(2, 7), { start: 3, at: 2 }]
  const periods = looks.map((_, index) => usageAfter(...looks.slice(0, index + 1)).period)
  const sum = usageAfter(...looks)
  for (const key of KEYS) {
    expect(periods.map((period) => period[key])).toEqual([10, 15, 0, 5, 0, 7, 0])
    expect(sum[key]).toBe(37)
  }
})

it.each([Number.NaN, -5, Number.POSITIVE_INFINITY, '9', null, undefined, 1e300])(
  'a run that counts %s breaks nothing',
  (value) => {
    const usage = usageAfter(look(0, 10), look(0, value as number), look(1, value as number))
    for (const key of KEYS) {
      expect(Number.isSafeInteger(usage[key])).toBe(true)
      expect(usage[key]).toBeGreaterThanOrEqual(10)
    }
  },
)

it('a counter stays at its end, and does not begin again', () => {
  const most: UsageTotals['sentBytes'] = Number.MAX_SAFE_INTEGER
  expect(usageAfter(look(0, most), look(1, most), look(2, 5))).toMatchObject({
    sentBytes: most,
    period: { sentBytes: 0 },
  })
})
