import { describe, expect, it } from 'vitest'
import { NoCapacityError } from '../../../../src/execution/index.ts'
import { CAPACITY, GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

const CAPACITY_FOR_TWO = () => ({ ...CAPACITY, runs: 2 })

describe('a run that ends others to free capacity', () => {
  const bench = useBench()

  async function full(init = {}) {
    const supervisor = bench.start({ limits: CAPACITY_FOR_TWO, ...init })
    for (const id of ['a', 'b']) supervisor.run(serviceOf(id), GRANT)
    await bench.until(() => ['a', 'b'].every((id) => bench.state(id) === 'running'))
    return supervisor
  }

  /** How many others run each time that a run starts. */
  function runningAtStart() {
    const counts: number[] = []
    const running = () => [...bench.engine.runs.values()].filter(({ state }) => state === 'running').length
    bench.engine.onStart = () => void counts.push(running())
    return counts
  }

  it('ends as few as it takes, in the order in which they are named, and begins when they have ended', async () => {
    const supervisor = await full()
    const freed: string[] = []
    bench.events.on('execution:freed', ({ service }) => void freed.push(service))
    const others = runningAtStart()
    expect(supervisor.run(serviceOf('new'), GRANT, { evicts: ['b', 'a'] })).toEqual(['b'])
    expect(bench.state('new')).toBe('decided')
    const detail = expect.stringContaining('evicted for new')
    expect(bench.record('b')).toMatchObject({ wanted: 'stop', detail })
    await bench.reaches('new', 'running')
    expect([bench.state('a'), bench.state('b')]).toEqual(['running', 'stopped'])
    expect(others).toEqual([1])
    expect(freed).toEqual(['b'])
  })

  it('ends no run where there is capacity, or where all of them together free too little', async () => {
    const supervisor = bench.start({ limits: CAPACITY_FOR_TWO })
    supervisor.run(serviceOf('a'), GRANT)
    expect(supervisor.run(serviceOf('b'), GRANT, { evicts: ['a'] })).toEqual([])
    expect(() => supervisor.run(serviceOf('c'), GRANT, { evicts: ['unknown'] })).toThrow(NoCapacityError)
    const huge = { ...GRANT, memoryBytes: 2 ** 41 }
    expect(() => supervisor.run(serviceOf('c'), huge, { evicts: ['a', 'b'] })).toThrow(NoCapacityError)
    expect(supervisor.granted().map(({ service, ending }) => `${service} ${ending}`)).toEqual(['a false', 'b false'])
  })

  it('gives no other run the capacity that it waits for', async () => {
    const supervisor = await full()
    supervisor.run(serviceOf('new'), GRANT, { evicts: ['b'] })
    expect(supervisor.free().runs).toBe(0)
    expect(() => supervisor.run(serviceOf('late'), GRANT, { evicts: ['b'] })).toThrow(NoCapacityError)
    await bench.reaches('new', 'running')
    expect(supervisor.running().sort()).toEqual(['a', 'new'])
  })

  it('the next one ends another run, and begins when that one has ended, too', async () => {
    const supervisor = await full()
    const others = runningAtStart()
    expect(supervisor.run(serviceOf('new'), GRANT, { evicts: ['b'] })).toEqual(['b'])
    expect(supervisor.granted().flatMap(({ service, yields }) => (yields ? [service] : []))).toEqual(['b'])
    expect(supervisor.run(serviceOf('next'), GRANT, { evicts: ['a'] })).toEqual(['a'])
    expect(bench.record('b')?.detail).toContain('evicted for new')
    await bench.until(() => ['new', 'next'].every((id) => bench.state(id) === 'running'))
    expect([bench.state('a'), bench.state('b')]).toEqual(['stopped', 'stopped'])
    expect(Math.max(...others)).toBeLessThanOrEqual(1)
    expect(supervisor.granted().some(({ yields }) => yields)).toBe(false)
  })

  it('goes on after a restart in the middle, ends no run twice, and runs nothing twice', async () => {
    const first = await full()
    bench.engine.leave()
    first.run(serviceOf('new'), GRANT, { evicts: ['b'] })
    await bench.clock.advance(100)
    expect([bench.state('b'), bench.state('new')]).toEqual(['running', 'decided'])
    await first[Symbol.asyncDispose]()
    bench.engine.comeBack()
    const second = bench.start({ limits: CAPACITY_FOR_TWO })
    await second.boot()
    await bench.reaches('new', 'running')
    expect([bench.state('a'), bench.state('b')]).toEqual(['running', 'stopped'])
    expect(bench.engine.starts).toHaveLength(3)

    await second.stop('new', { why: 'test' })
    second.run(serviceOf('b'), GRANT)
    second.run(serviceOf('other', { kind: 'task' }), GRANT, { evicts: ['a'] })
    await bench.reaches('other', 'running')
    await second.stop('b', { why: 'test' })
    second.run(serviceOf('a'), GRANT)
    await second[Symbol.asyncDispose]()
    // a run that has begun ends no other once more
    const third = bench.start({ limits: CAPACITY_FOR_TWO })
    await third.boot()
    await bench.clock.advance(1000)
    expect(third.running().sort()).toEqual(['a', 'other'])
  })

  it('is stopped itself while it waits: it never begins', async () => {
    const supervisor = await full()
    bench.engine.leave()
    supervisor.run(serviceOf('new'), GRANT, { evicts: ['b'] })
    const stopped = supervisor.stop('new', { why: 'test' })
    await bench.engineReturns()
    await stopped
    expect(bench.state('new')).toBe('stopped')
    expect(bench.record('new')?.handle).toBeNull()
    expect(bench.engine.starts).toHaveLength(2)
  })

  it('lets a task run that was stopped before it began, and none that had begun', async () => {
    const supervisor = bench.start()
    const task = serviceOf('task', { kind: 'task' })
    supervisor.run(task, GRANT)
    await supervisor.stop('task', { why: 'test' })
    const before = bench.runId('task')
    supervisor.run(task, GRANT)
    await bench.reaches('task', 'running')
    expect(bench.runId('task')).not.toBe(before)
    await supervisor.stop('task', { why: 'test' })
    const begun = bench.runId('task')
    supervisor.run(task, GRANT)
    expect(bench.runId('task')).toBe(begun)
  })
})
