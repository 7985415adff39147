import { expect, test } from 'vitest'
import { createSpreadTable, createTrafficTable, DEPTHS, NONE } from '../../../src/simulation/tables.ts'

test('a table of a service that reached nobody says so of each node', () => {
  const table = createSpreadTable(3, { service: 0, publisher: 1, publishedMs: 0, reach: 4 })
  expect([...table.deliveredMs]).toEqual([Number.NaN, Number.NaN, Number.NaN])
  const { firstDepth, bestDepth, emittedDepth, disposition, rule } = table
  for (const column of [firstDepth, bestDepth, emittedDepth, disposition, rule])
    expect([...column]).toEqual([NONE, NONE, NONE])
  expect([...table.from]).toEqual([-1, -1, -1])
  expect(createTrafficTable(3).copies).toHaveLength(3 * DEPTHS)
})
