import { expect, test } from 'vitest'
import { howMany } from '../../../scripts/faults/how-many.ts'

test('a check says how many random scenarios ran, and that they were fewer than wanted when its minutes were over', () => {
  expect([0, 1, 2].map((runs) => howMany(runs))).toEqual([
    '0 random scenarios',
    '1 random scenario',
    '2 random scenarios',
  ])
  expect(howMany(20, { runs: 20, minutes: 3 })).toBe('20 random scenarios')
  expect(howMany(1, { runs: 1, minutes: 3 })).toBe('1 random scenario')
  expect(howMany(7, { runs: 20, minutes: 3 })).toBe('7 of 20 random scenarios (20 was not reached in 3 minutes)')
  expect(howMany(0, { runs: 20_000, minutes: 1 })).toBe(
    '0 of 20000 random scenarios (20000 was not reached in 1 minute)',
  )
})
