import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { capacity } from '../../../../src/runner/andromeda/rules/capacity.ts'
import type { RunningService } from '../../../../src/runner/index.ts'
import { configOf, SAMPLE, serviceOf, snapshotOf } from '../support.ts'
import { table } from './table.ts'

const MIB = 1024 ** 2
const free = snapshotOf().capacity
const evicting = { LIMITS: { ...SAMPLE.LIMITS, EVICT: true } }

function run(id: string, rank: number, megabytes: number, more: Partial<RunningService> = {}): RunningService {
  const resources = { memory: megabytes * MIB, disk: MIB, cpu: 100, pids: 16 }
  return { id, author: 'a', name: id, rank, own: false, ...resources, ...more }
}

table(capacity, [
  { says: 'all free', outcome: 'pass', message: 'what it asks for is free' },
  {
    says: 'memory taken',
    outcome: 'defer',
    node: { capacity: { ...free, memoryBytes: 1024 } },
    message: 'asks for 64 MiB of memory, and 1 KiB of memory is free now',
    needs: { field: 'node.free.memory', must: 'at-least', value: String(64 * MIB) },
  },
  {
    says: 'more taken than given',
    outcome: 'defer',
    node: { capacity: { ...free, diskBytes: -MIB } },
    message: /and 0 B of disk is free now$/,
  },
  {
    says: 'enough runs',
    outcome: 'defer',
    node: { capacity: { ...free, runs: 0 } },
    message: 'as many services run as LIMITS.TOTAL.RUNS allows',
    needs: { field: 'node.free.runs', must: 'at-least', value: '1' },
  },
  {
    says: 'nobody ends without EVICT',
    outcome: 'defer',
    node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] },
  },
  {
    says: 'who ranks lower ends with EVICT',
    outcome: 'pass',
    settings: evicting,
    node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] },
    message: 'there is room once what ranks lower has ended: low',
  },
])

describe('eviction', () => {
  // the keyword makes the new one rank 10
  const evicted = (running: RunningService[], room: Partial<typeof free> = {}) => {
    const node = snapshotOf(configOf(evicting), { capacity: { ...free, memoryBytes: 0, ...room }, running })
    const { run: grant, evict } = andromeda(serviceOf(), node)
    return grant === false ? false : evict
  }

  it('names nobody where there is room', () => {
    expect(evicted([run('low', 0, 64)], { memoryBytes: 64 * MIB })).toBeUndefined()
  })
  it('takes one where one suffices, the lowest of those', () => {
    expect(evicted([run('a', 0, 32), run('b', 5, 64), run('c', 6, 64)])).toEqual(['b'])
  })
  it('takes the lowest first where it needs more, and none that it does not need', () => {
    expect(evicted([run('c', 3, 40), run('a', 1, 8), run('b', 2, 30), run('d', 4, 40)])).toEqual(['b', 'c'])
  })
  it('spares equals, its betters and the own services of the operator', () => {
    expect(evicted([run('equal', 10, 64)])).toBe(false)
    expect(evicted([run('better', 11, 64)])).toBe(false)
    expect(evicted([run('own', 0, 64, { own: true })])).toBe(false)
    expect(evicted([run(serviceOf().id, 0, 32)])).toBe(false)
  })
  it('ends nobody where even all of them would not make room', () => {
    expect(evicted([run('a', 0, 8), run('b', 0, 8)])).toBe(false)
  })
  it('ends nobody for a service that does not run for another reason', () => {
    const node = snapshotOf(configOf({ ...evicting, KEYWORDS: ['else'] }), {
      capacity: { ...free, memoryBytes: 0 },
      running: [run('low', -1, 64)],
    })
    expect(andromeda(serviceOf(), node)).toMatchObject({ run: false })
    expect(andromeda(serviceOf(), node).evict).toBeUndefined()
  })
  it('does not depend on the order of what runs', () => {
    const running = [run('c', 1, 40), run('a', 1, 40), run('b', 1, 40)]
    expect(evicted(running)).toEqual(evicted(running.toReversed()))
  })
})
