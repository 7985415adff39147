import { describe, expect, it } from 'vitest'
import { createBatchWriter } from '../../../src/runner/batch.ts'
import type { RunningService } from '../../../src/runner/index.ts'
import type { Item } from '../../../src/runner/ipc-messages.ts'
import { configOf, serviceOf, snapshotOf } from '../../fixtures/runner/runners.ts'

const config = configOf()
const resources = { memory: 1, disk: 1, cpu: 1, pids: 1 }
const runningOf = (id: string): RunningService => ({ id, author: 'a', name: id, rank: 0, own: false, ...resources })

describe('what is written to the runner', () => {
  it('has the facts once while they are the same, and again as soon as one of them is not', () => {
    const batch = createBatchWriter()
    const [a, b] = [runningOf('a'), runningOf('b')]
    let id = 0
    const factsOf = (change: object) => {
      batch.ask(++id, serviceOf(), snapshotOf(config, change))
      const items = JSON.parse(batch.take() as string) as Item[]
      return items.flatMap((item) => (item[0] === 'facts' ? [item[2]] : []))
    }
    const { capacity } = snapshotOf(config)
    expect(factsOf({ running: [a, b] })).toEqual([{ own: snapshotOf().own, capacity, running: [a, b] }])
    expect(factsOf({ running: [a, b] })).toEqual([])
    expect(factsOf({ running: [a] })).toMatchObject([{ running: [a] }])
    expect(factsOf({ running: [b] })).toMatchObject([{ running: [b] }])
    expect(factsOf({ running: [{ ...b, rank: 7 }] })).toMatchObject([{ running: [{ id: 'b', rank: 7 }] }])
    expect(factsOf({ running: [b], capacity: { ...capacity, runs: 3 } })).toMatchObject([{ capacity: { runs: 3 } }])
    expect(factsOf({ running: [] })).toMatchObject([{ running: [] }])
    // known from before, by a slot
    expect(factsOf({ running: [a, b] })).toEqual([])
  })
})
