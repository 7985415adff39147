import { describe, expect, it } from 'vitest'
import { UnavailableError } from '../../../../src/base/errors.ts'
import { NoCapacityError, RunRefusedError } from '../../../../src/execution/index.ts'
import { CAPACITY, GRANT, START_MS, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

/** User ids that say which were given back. */
function watchedUserIds() {
  const released: string[] = []
  const release = (id: string) => void released.push(id)
  return { released, userIds: { claim: () => 200_000, release, holders: () => [], transfer: () => {} } }
}

describe('supervisor', () => {
  const bench = useBench()

  const states = (service: string) => bench.journal.transitions(bench.runId(service)).map(({ state }) => state)

  it('journals every state before it acts upon it', async () => {
    const seen: unknown[] = []
    bench.code.onObtain = async () => void seen.push(bench.state('a'))
    bench.engine.onStart = (plan) => void seen.push(bench.state('a'), bench.journal.get(plan.runId)?.handle)
    bench.begin('a', { kind: 'task' })
    expect(bench.state('a')).toBe('decided')
    await bench.reaches('a', 'running')
    expect(seen).toEqual(['fetching', 'starting', { runId: bench.runId('a') }])
    await bench.over('a')
    expect(states('a')).toEqual(['decided', 'fetching', 'starting', 'running', 'exited'])
    expect(bench.record('a')).toMatchObject({ exitCode: 0, restarts: 0 })
    expect(bench.engine.runs.size).toBe(0)
    expect(bench.code.held).toBe(0)
  })

  it('gives the user id of a run back when the run is over, and not when the node lets go of it', async () => {
    const { released, userIds } = watchedUserIds()
    const supervisor = await bench.running('a', { on: bench.start({}, { userIds }) })
    await bench.running('b', { run: { kind: 'task' }, on: supervisor })
    bench.end('b')
    await bench.until(() => supervisor.running().length === 1)
    await supervisor[Symbol.asyncDispose]()
    expect([bench.state('a'), bench.state('b')]).toEqual(['running', 'exited'])
    expect(released).toEqual([bench.runId('b')])
  })

  describe('restarts', () => {
    it.each([
      ['never', 0, false],
      ['never', 1, false],
      ['on-failure', 0, false],
      ['on-failure', 1, true],
      ['always', 0, true],
      ['always', 1, true],
    ] as const)('%s, after exit code %i: %s', async (restart, exitCode, again) => {
      await bench.running('a', { run: { restart } })
      bench.end('a', exitCode)
      await bench.until(() => bench.state('a') !== 'running')
      await bench.clock.advance(1000)
      if (again) await bench.reaches('a', 'running')
      else await bench.idle()
      expect(bench.engine.starts.length).toBe(again ? 2 : 1)
      if (!again) expect(bench.state('a')).toBe(exitCode === 0 ? 'exited' : 'failed')
    })

    it('wait longer after each failure, and begin again after a steady run', async () => {
      bench.begin('a')
      const waits: number[] = []
      for (let n = 1; n <= 6; n++) {
        await bench.reaches('a', 'running')
        if (n === 6) await bench.clock.advance(120_000)
        bench.end('a', 1)
        await bench.until(() => bench.state('a') === 'starting' && bench.engine.runs.size === 0)
        const before = bench.clock.now()
        while (bench.engine.starts.length === n) await bench.clock.advance(50)
        waits.push(bench.clock.now() - before)
      }
      expect(waits[4]).toBeGreaterThan((waits[0] as number) * 4)
      expect(waits[5]).toBeLessThanOrEqual(550)
      expect(bench.record('a')?.restarts).toBe(6)
    })

    it('do not happen for a run whose time was over', async () => {
      await bench.running('a', { run: { restart: 'always' }, grant: { ...GRANT, timeoutSeconds: 30 } })
      await bench.clock.advance(29_000)
      expect(bench.state('a')).toBe('running')
      await bench.clock.advance(2000)
      await bench.idle()
      const detail = expect.stringMatching(/^its time limit of 30s, set by this node/)
      expect(bench.record('a')).toMatchObject({ state: 'failed', detail })
      expect(bench.engine.stops).toMatchObject([{ reason: 'timeout' }])
    })
  })

  it('ends a run when its service expires', async () => {
    bench.start().run(serviceOf('a', {}, { expires: START_MS / 1000 + 60 }), GRANT)
    await bench.reaches('a', 'running')
    await bench.clock.advance(61_000)
    await bench.idle()
    expect(bench.record('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('runs a task once, however often it is asked', async () => {
    const supervisor = bench.start()
    const task = serviceOf('a', { kind: 'task' })
    supervisor.run(task, GRANT)
    supervisor.run(task, GRANT)
    await bench.reaches('a', 'running')
    await bench.over('a')
    supervisor.run(task, GRANT)
    expect(bench.journal.all().length).toBe(1)
    expect(bench.engine.starts.length).toBe(1)
  })

  it('runs a service again that was stopped, when it is asked', async () => {
    const supervisor = await bench.running('a')
    await supervisor.stop('a', { why: 'test' })
    supervisor.run(serviceOf('a'), GRANT)
    await bench.reaches('a', 'running')
    expect(bench.engine.starts.length).toBe(2)
  })

  describe('stopping', () => {
    it('is journalled as a wish before it is done', async () => {
      const supervisor = await bench.running('a')
      const stopped = supervisor.stop('a', { why: 'its author stopped it', graceMs: 77 })
      expect(bench.record('a')).toMatchObject({ wanted: 'stop', state: 'running' })
      await stopped
      expect(bench.record('a')).toMatchObject({ state: 'stopped', detail: 'its author stopped it' })
      expect(bench.engine.stops).toEqual([{ runId: bench.runId('a'), graceMs: 77, reason: 'stopped' }])
      expect(bench.engine.runs.size).toBe(0)
    })

    it('ends fetching, and nothing starts', async () => {
      bench.code.onObtain = (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const supervisor = bench.begin('a')
      await supervisor.stop('a', { why: 'test' })
      expect(states('a')).toEqual(['decided', 'fetching', 'stopped'])
      expect(bench.engine.starts).toEqual([])
    })

    it('ends a run that is just starting', async () => {
      const gate = Promise.withResolvers<void>()
      bench.engine.onStart = () => gate.promise
      const supervisor = bench.begin('a')
      await bench.reaches('a', 'starting')
      const stopped = supervisor.stop('a', { why: 'test' })
      gate.resolve()
      await stopped
      expect(bench.state('a')).toBe('stopped')
      expect(bench.engine.runs.size).toBe(0)
    })

    it('ends the waiting for a restart', async () => {
      const supervisor = await bench.running('a')
      bench.end('a', 1)
      await bench.reaches('a', 'starting')
      await supervisor.stop('a', { why: 'test' })
      await bench.clock.advance(600_000)
      expect(bench.state('a')).toBe('stopped')
      expect(bench.engine.starts.length).toBe(1)
    })

    it('of what is unknown or over does nothing', async () => {
      const supervisor = bench.start()
      await supervisor.stop('nobody', { why: 'test' })
      expect(bench.journal.all()).toEqual([])
    })
  })

  describe('an engine that goes away', () => {
    it('under a run is waited for; the run is found again and not started twice', async () => {
      const supervisor = await bench.running('a')
      await bench.engineLeaves()
      await bench.clock.advance(5000)
      expect(bench.state('a')).toBe('running')
      await bench.engineReturns()
      await bench.until(() => bench.reported.filter((what) => what === 'host executor').length >= 2)
      expect(bench.engine.starts.length).toBe(1)
      await supervisor.stop('a', { why: 'test' })
      expect(bench.state('a')).toBe('stopped')
    })

    it("as a run ends: what is left of it is removed when it is back, and its user is no other run's before", async () => {
      const { released, userIds } = watchedUserIds()
      const { update } = bench.journal
      bench.journal.update = (runId, change) => {
        if (change.state === 'exited') bench.engine.leave()
        update(runId, change)
      }
      await bench.running('a', { run: { kind: 'task' }, on: bench.start({}, { userIds }) })
      await bench.over('a')
      expect([bench.state('a'), bench.engine.runs.size, released]).toEqual(['exited', 1, []])
      await bench.engineReturns()
      await bench.until(() => released.length === 1)
      expect([bench.engine.runs.size, bench.code.held]).toEqual([0, 0])
    })

    it('as a run ends, and does not answer when what is left is to be removed: the node closes all the same', async () => {
      const executor = bench.createExecutor()
      let removals = 0
      const remove = async () => {
        removals++
        if (removals === 1) throw new UnavailableError('it is busy')
        await new Promise(() => {})
      }
      const supervisor = bench.start({}, { executors: [{ ...executor, remove }] })
      await bench.running('a', { run: { kind: 'task' }, on: supervisor })
      await bench.over('a')
      await bench.clock.advance(60_000)
      await bench.until(() => removals === 2)
      await supervisor[Symbol.asyncDispose]()
      expect(bench.code.held).toBe(0)
    })

    it('and comes back without the run begins it again', async () => {
      const supervisor = await bench.running('a')
      await bench.engineLeaves()
      bench.engine.runs.clear()
      bench.engine.comeBack()
      for (let n = 0; n < 40; n++) await bench.clock.advance(1000)
      await bench.until(() => bench.record('a')?.restarts === 1)
      for (let n = 0; n < 40 && bench.engine.starts.length < 2; n++) await bench.clock.advance(1000)
      await bench.until(() => bench.engine.starts.length === 2 && bench.state('a') === 'running')
      expect(bench.engine.starts.length).toBe(2)
      expect(supervisor.running()).toEqual(['a'])
    })

    it('before a start is waited for', async () => {
      bench.engine.leave()
      const supervisor = bench.begin('a')
      await bench.reaches('a', 'starting')
      await bench.clock.advance(10_000)
      expect(supervisor.status('a')?.record.detail).toMatch(/engine is away/)
      await bench.engineReturns()
      await bench.reaches('a', 'running')
    })

    it('while a run is stopped: the stop is carried out when it is back', async () => {
      const supervisor = await bench.running('a')
      await bench.engineLeaves()
      const stopped = supervisor.stop('a', { why: 'test' })
      await bench.clock.advance(10_000)
      expect(bench.record('a')).toMatchObject({ wanted: 'stop', state: 'running' })
      await bench.engineReturns()
      await stopped
      expect(bench.state('a')).toBe('stopped')
      expect(bench.engine.runs.size).toBe(0)
    })
  })

  it('refuses what an executor can never run, and fails what cannot be had', async () => {
    const supervisor = bench.start()
    bench.engine.onStart = () => {
      throw new RunRefusedError('install bubblewrap')
    }
    supervisor.run(serviceOf('a'), GRANT)
    await bench.reaches('a', 'refused')
    expect(bench.record('a')?.detail).toBe('install bubblewrap')
    bench.code.onObtain = async () => {
      throw new UnavailableError('no peer has it')
    }
    supervisor.run(serviceOf('b'), GRANT)
    await bench.reaches('b', 'fetching')
    for (let n = 0; n < 60 && bench.state('b') === 'fetching'; n++) await bench.clock.advance(30_000)
    expect(bench.record('b')).toMatchObject({ state: 'failed', detail: 'no peer has it' })
  })

  it('grants no more than there is, and counts what a run gives back', async () => {
    const supervisor = bench.start({
      limits: () => ({ ...CAPACITY, memoryBytes: 300 * 2 ** 20 }),
    })
    supervisor.run(serviceOf('a'), GRANT)
    expect(() => supervisor.run(serviceOf('b'), GRANT)).toThrow(NoCapacityError)
    expect(() => supervisor.run(serviceOf('b'), GRANT)).toThrow(/192 MiB of memory and 108 MiB are free/)
    expect(bench.record('b')).toBeUndefined()
    expect(supervisor.free()).toMatchObject({ memoryBytes: 108 * 2 ** 20, runs: 9 })
    await supervisor.stop('a', { why: 'test' })
    expect(supervisor.free()).toMatchObject({ memoryBytes: 300 * 2 ** 20, runs: 10 })
    supervisor.run(serviceOf('b'), GRANT)
  })

  it('keeps what it has to say in the log, which can be read after the end', async () => {
    const supervisor = await bench.running('a', { run: { kind: 'task' } })
    await bench.over('a', 3)
    const logs = await Array.fromAsync(supervisor.logs('a', { tail: 100, follow: true }))
    const lines = logs.map(({ stream, line }) => `${stream} ${line}`)
    expect(lines).toEqual(['node fetching', 'node starting', 'node running', 'node failed: exit code 3'])
    await supervisor.remove('a', { why: 'test' })
    for await (const line of supervisor.logs('a', { tail: 100, follow: false })) throw new Error(line.line)
  })
})
