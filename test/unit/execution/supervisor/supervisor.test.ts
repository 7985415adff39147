import { beforeEach, describe, expect, it } from 'vitest'
import { UnavailableError } from '../../../../src/base/errors.ts'
import { NoCapacityError, RunRefusedError } from '../../../../src/execution/index.ts'
import { type Bench, createBench, GRANT, START_MS, serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'

describe('supervisor', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
    return () => bench[Symbol.asyncDispose]()
  })

  const states = (service: string) => bench.journal.transitions(bench.runId(service)).map(({ state }) => state)

  it('journals every state before it acts upon it', async () => {
    const seen: unknown[] = []
    bench.code.onObtain = async () => void seen.push(bench.state('a'))
    bench.engine.onStart = (plan) => void seen.push(bench.state('a'), bench.journal.get(plan.runId)?.handle)
    const supervisor = bench.start()
    supervisor.run(serviceOf('a', { kind: 'task' }), GRANT)
    expect(bench.state('a')).toBe('decided')
    await bench.reaches('a', 'running')
    expect(seen).toEqual(['fetching', 'starting', { runId: bench.runId('a') }])
    bench.end('a')
    await bench.until(() => supervisor.running().length === 0)
    expect(states('a')).toEqual(['decided', 'fetching', 'starting', 'running', 'exited'])
    expect(bench.journal.ofService('a')).toMatchObject({ exitCode: 0, restarts: 0 })
    expect(bench.engine.runs.size).toBe(0)
    expect(bench.code.held).toBe(0)
  })

  it('gives the user id of a run back when the run is over, and not when the node lets go of it', async () => {
    const released: string[] = []
    const userIds = { claim: () => 200_000, release: (id: string) => void released.push(id), retain: () => {} }
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
      const supervisor = await bench.running('a', { run: { restart } })
      bench.end('a', exitCode)
      await bench.until(() => bench.state('a') !== 'running')
      await bench.clock.advance(1000)
      if (again) await bench.reaches('a', 'running')
      else await bench.until(() => supervisor.running().length === 0)
      expect(bench.engine.starts.length).toBe(again ? 2 : 1)
      if (!again) expect(bench.state('a')).toBe(exitCode === 0 ? 'exited' : 'failed')
    })

    it('wait longer after each failure, and begin anew after a steady run', async () => {
      const supervisor = bench.start()
      supervisor.run(serviceOf('a'), GRANT)
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
      expect(bench.journal.ofService('a')?.restarts).toBe(6)
    })

    it('do not happen for a run whose time was over', async () => {
      const supervisor = await bench.running('a', {
        run: { restart: 'always' },
        grant: { ...GRANT, timeoutSeconds: 30 },
      })
      await bench.clock.advance(29_000)
      expect(bench.state('a')).toBe('running')
      await bench.clock.advance(2000)
      await bench.until(() => supervisor.running().length === 0)
      expect(bench.journal.ofService('a')).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(/^its time limit of 30s, set by this node/),
      })
      expect(bench.engine.stops).toMatchObject([{ reason: 'timeout' }])
    })
  })

  it('ends a run when its service expires', async () => {
    const supervisor = bench.start()
    supervisor.run(serviceOf('a', {}, { expires: START_MS / 1000 + 60 }), GRANT)
    await bench.reaches('a', 'running')
    await bench.clock.advance(61_000)
    await bench.until(() => supervisor.running().length === 0)
    expect(bench.journal.ofService('a')).toMatchObject({ state: 'stopped', detail: 'it expired' })
  })

  it('runs a task once, however often it is asked', async () => {
    const supervisor = bench.start()
    const task = serviceOf('a', { kind: 'task' })
    supervisor.run(task, GRANT)
    supervisor.run(task, GRANT)
    await bench.reaches('a', 'running')
    bench.end('a')
    await bench.until(() => supervisor.running().length === 0)
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
      expect(bench.journal.ofService('a')).toMatchObject({ wanted: 'stop', state: 'running' })
      await stopped
      expect(bench.journal.ofService('a')).toMatchObject({ state: 'stopped', detail: 'its author stopped it' })
      expect(bench.engine.stops).toEqual([{ runId: bench.runId('a'), graceMs: 77, reason: 'stopped' }])
      expect(bench.engine.runs.size).toBe(0)
    })

    it('ends fetching, and nothing starts', async () => {
      bench.code.onObtain = (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const supervisor = bench.start()
      supervisor.run(serviceOf('a'), GRANT)
      await supervisor.stop('a', { why: 'test' })
      expect(states('a')).toEqual(['decided', 'fetching', 'stopped'])
      expect(bench.engine.starts).toEqual([])
    })

    it('ends a run that is just starting', async () => {
      const gate = Promise.withResolvers<void>()
      bench.engine.onStart = () => gate.promise
      const supervisor = bench.start()
      supervisor.run(serviceOf('a'), GRANT)
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
      bench.engine.leave()
      await bench.until(() => bench.heard.includes('host executor'))
      await bench.clock.advance(5000)
      expect(bench.state('a')).toBe('running')
      bench.engine.comeBack()
      await bench.clock.advance(60_000)
      await bench.until(() => bench.heard.filter((what) => what === 'host executor').length >= 2)
      expect(bench.engine.starts.length).toBe(1)
      await supervisor.stop('a', { why: 'test' })
      expect(bench.state('a')).toBe('stopped')
    })

    it('and comes back without the run begins it again', async () => {
      const supervisor = await bench.running('a')
      bench.engine.leave()
      await bench.until(() => bench.heard.includes('host executor'))
      bench.engine.runs.clear()
      bench.engine.comeBack()
      for (let n = 0; n < 40; n++) await bench.clock.advance(1000)
      await bench.until(() => bench.journal.ofService('a')?.restarts === 1)
      for (let n = 0; n < 40 && bench.engine.starts.length < 2; n++) await bench.clock.advance(1000)
      await bench.until(() => bench.engine.starts.length === 2 && bench.state('a') === 'running')
      expect(bench.engine.starts.length).toBe(2)
      expect(supervisor.running()).toEqual(['a'])
    })

    it('before a start is waited for', async () => {
      bench.engine.leave()
      const supervisor = bench.start()
      supervisor.run(serviceOf('a'), GRANT)
      await bench.reaches('a', 'starting')
      await bench.clock.advance(10_000)
      expect(supervisor.status('a')?.record.detail).toMatch(/engine is away/)
      bench.engine.comeBack()
      await bench.clock.advance(60_000)
      await bench.reaches('a', 'running')
    })

    it('while a run is stopped: the stop is carried out when it is back', async () => {
      const supervisor = await bench.running('a')
      bench.engine.leave()
      await bench.until(() => bench.heard.includes('host executor'))
      const stopped = supervisor.stop('a', { why: 'test' })
      await bench.clock.advance(10_000)
      expect(bench.journal.ofService('a')).toMatchObject({ wanted: 'stop', state: 'running' })
      bench.engine.comeBack()
      await bench.clock.advance(60_000)
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
    expect(bench.journal.ofService('a')?.detail).toBe('install bubblewrap')
    bench.code.onObtain = async () => {
      throw new UnavailableError('no peer has it')
    }
    supervisor.run(serviceOf('b'), GRANT)
    await bench.reaches('b', 'fetching')
    for (let n = 0; n < 60 && bench.state('b') === 'fetching'; n++) await bench.clock.advance(30_000)
    expect(bench.journal.ofService('b')).toMatchObject({ state: 'failed', detail: 'no peer has it' })
  })

  it('grants no more than there is, and counts what a run gives back', async () => {
    const supervisor = bench.start({
      limits: () => ({ memoryBytes: 300 * 2 ** 20, cpuMillicores: 4000, diskBytes: 2 ** 30, pids: 1000, runs: 10 }),
    })
    supervisor.run(serviceOf('a'), GRANT)
    expect(() => supervisor.run(serviceOf('b'), GRANT)).toThrow(NoCapacityError)
    expect(() => supervisor.run(serviceOf('b'), GRANT)).toThrow(/192 MiB of memory and 108 MiB are free/)
    expect(bench.journal.ofService('b')).toBeUndefined()
    expect(supervisor.free()).toMatchObject({ memoryBytes: 108 * 2 ** 20, runs: 9 })
    await supervisor.stop('a', { why: 'test' })
    expect(supervisor.free()).toMatchObject({ memoryBytes: 300 * 2 ** 20, runs: 10 })
    supervisor.run(serviceOf('b'), GRANT)
  })

  it('keeps what it has to say in the log, which can be read after the end', async () => {
    const supervisor = await bench.running('a', { run: { kind: 'task' } })
    bench.end('a', 3)
    await bench.until(() => supervisor.running().length === 0)
    const lines: string[] = []
    for await (const { stream, line } of supervisor.logs('a', { tail: 100, follow: true }))
      lines.push(`${stream} ${line}`)
    expect(lines).toEqual(['node fetching', 'node starting', 'node running', 'node failed: exit code 3'])
    await supervisor.remove('a', { why: 'test' })
    for await (const line of supervisor.logs('a', { tail: 100, follow: false })) throw new Error(line.line)
  })
})
