import { describe, expect, it } from 'vitest'
import { capacity } from '../../../../src/runner/andromeda/rules/capacity.ts'
import type { RunningService } from '../../../../src/runner/index.ts'
import { SAMPLE, serviceOf, snapshotOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { defers, passes, table } from './table.ts'

const MIB = 1024 ** 2
const free = snapshotOf().capacity
const evicting = { LIMITS: { ...SAMPLE.LIMITS, EVICT: true } }

function run(id: string, rank: number, megabytes: number, more: Partial<RunningService> = {}): RunningService {
  const resources = { memory: megabytes * MIB, disk: MIB, cpu: 100, pids: 16 }
  return { id, author: 'a', name: id, rank, own: false, ...resources, ...more }
}

table(capacity, [
  passes('all free', { message: 'what it asks for is free' }),
  defers('memory taken', {
    node: { capacity: { ...free, memoryBytes: 1024 } },
    message: 'asks for 64 MiB of memory, and 1 KiB of memory is free now',
    needs: ['node.free.memory', 'at-least', String(64 * MIB)],
  }),
  defers('more taken than given', {
    node: { capacity: { ...free, diskBytes: -MIB } },
    message: /and 0 B of disk is free now$/,
  }),
  defers('enough runs', {
    node: { capacity: { ...free, runs: 0 } },
    message: 'as many services run as LIMITS.TOTAL.RUNS allows',
    needs: ['node.free.runs', 'at-least', '1'],
  }),
  defers('nobody ends without EVICT', { node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] } }),
  passes('who ranks lower ends with EVICT', {
    settings: evicting,
    node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] },
    message: 'it fits once services that rank lower have ended: low',
  }),
])

describe('eviction', () => {
  const low = [run('low', 0, 64)]
  // the keyword makes the new one rank 10
  const evicted = (running: RunningService[], memoryBytes = 0) => {
    const { run: grant, evict } = verdictOf(evicting, {}, { capacity: { ...free, memoryBytes }, running })
    return grant === false ? false : evict
  }

  it.each<[string, RunningService[], string[] | false]>([
    ['takes one where one suffices, the lowest of those', [run('a', 0, 32), run('b', 5, 64), run('c', 6, 64)], ['b']],
    [
      'takes the lowest first where it needs more, and none that it does not need',
      [run('c', 3, 40), run('a', 1, 8), run('b', 2, 30), run('d', 4, 40)],
      ['b', 'c'],
    ],
    ['spares equals', [run('equal', 10, 64)], false],
    ['spares its betters', [run('better', 11, 64)], false],
    ["spares the operator's own services", [run('own', 0, 64, { own: true })], false],
    ['spares the version before', [run(serviceOf().id, 0, 32)], false],
    ['ends nobody where even all of them would not make room', [run('a', 0, 8), run('b', 0, 8)], false],
  ])('%s', (_says, running, expected) => {
    expect(evicted(running)).toEqual(expected)
  })
  it('names nobody where there is room', () => {
    expect(evicted(low, 64 * MIB)).toBeUndefined()
  })
  it('ends nobody for a service that does not run for another reason', () => {
    const node = { capacity: { ...free, memoryBytes: 0 }, running: low }
    const verdict = verdictOf({ ...evicting, KEYWORDS: ['else'] }, {}, node)
    expect(verdict).toMatchObject({ run: false })
    expect(verdict.evict).toBeUndefined()
  })
  it('does not depend on the order of what runs', () => {
    const running = ['c', 'a', 'b'].map((id) => run(id, 1, 40))
    expect(evicted(running)).toEqual(evicted(running.toReversed()))
  })
})
