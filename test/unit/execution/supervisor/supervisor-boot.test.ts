import { describe, expect, it } from 'vitest'
import type { RunState } from '../../../../src/base/run-record.ts'
import type { Supervisor } from '../../../../src/execution/index.ts'
import { GRANT, START_MS, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

/** What the engine has of the run. */
type Left = 'nothing' | 'prepared' | 'running' | 'ended'

describe('a supervisor that starts again', () => {
  const bench = useBench()

  /** What a node that was killed leaves: a journal in some state, an engine with or without the run. */
  async function leave(state: RunState, engine: Left, kind: 'task' | 'service', wanted: 'run' | 'stop' = 'run') {
    const before = await bench.running('a', { run: { kind, restart: kind === 'task' ? 'never' : 'always' } })
    await before[Symbol.asyncDispose]()
    const runId = bench.runId('a')
    bench.journal.update(runId, { state, wanted, at: START_MS })
    const entry = bench.engine.runs.get(runId)
    if (entry === undefined) throw new Error('the run was lost on closing')
    if (engine === 'nothing') bench.engine.runs.delete(runId)
    else if (engine === 'ended') bench.engine.end(runId, { exitCode: 4 })
    else entry.state = engine
    bench.engine.starts.length = 0
    bench.reported.length = 0
    return bench.start()
  }

  const rest = (supervisor: Supervisor) =>
    bench.until(() => bench.state('a') === 'running' || supervisor.running().length === 0)

  const CASES: [RunState, Left, 'task' | 'service', number, RunState][] = [
    ['decided', 'nothing', 'task', 1, 'running'],
    ['fetching', 'nothing', 'task', 1, 'running'],
    ['building', 'nothing', 'task', 1, 'running'],
    ['starting', 'nothing', 'task', 1, 'running'],
    ['starting', 'prepared', 'task', 1, 'running'],
    ['starting', 'running', 'task', 0, 'running'],
    ['starting', 'ended', 'task', 0, 'failed'],
    ['running', 'running', 'task', 0, 'running'],
    ['running', 'ended', 'task', 0, 'failed'],
    ['running', 'nothing', 'task', 0, 'failed'],
    ['starting', 'nothing', 'service', 1, 'running'],
    ['starting', 'running', 'service', 0, 'running'],
    ['running', 'running', 'service', 0, 'running'],
    ['running', 'ended', 'service', 1, 'running'],
    ['running', 'nothing', 'service', 1, 'running'],
  ]

  it.each(CASES)('journal %s, engine %s, %s: %i starts, then %s', async (state, engine, kind, starts, then) => {
    const supervisor = await leave(state, engine, kind)
    await supervisor.boot()
    // A restart waits for its back-off.
    if (kind === 'service' && state === 'running' && engine !== 'running') {
      await bench.reaches('a', 'starting')
      for (let n = 0; n < 20 && bench.engine.starts.length === 0; n++) await bench.clock.advance(100)
    }
    await rest(supervisor)
    await bench.until(() => bench.state('a') === then)
    expect(bench.engine.starts.length).toBe(starts)
    expect(bench.engine.runs.size).toBe(then === 'running' ? 1 : 0)
  })

  it.each(['decided', 'fetching', 'starting', 'running'] as const)('finishes a stop of state %s', async (state) => {
    const supervisor = await leave(state, state === 'running' ? 'running' : 'nothing', 'service', 'stop')
    await supervisor.boot()
    await bench.reaches('a', 'stopped')
    await bench.idle()
    expect(bench.engine.starts).toEqual([])
    expect(bench.engine.runs.size).toBe(0)
  })

  it('does not begin again what has expired', async () => {
    const supervisor = await leave('starting', 'nothing', 'service')
    await bench.clock.advance(2 * 86_400_000)
    await supervisor.boot()
    await bench.reaches('a', 'stopped')
    expect(bench.engine.starts).toEqual([])
  })

  it.each<[RunState, Left, 'task' | 'service', boolean]>([
    ['starting', 'nothing', 'service', true],
    ['starting', 'prepared', 'service', true],
    ['running', 'nothing', 'service', true],
    ['running', 'ended', 'service', true],
    ['running', 'running', 'service', false],
    ['running', 'ended', 'task', false],
  ])('journal %s, engine %s, %s: waits until it may begin again: %o', async (state, engine, kind, waits) => {
    const supervisor = await leave(state, engine, kind)
    const may = Promise.withResolvers<void>()
    const asked: string[] = []
    await supervisor.boot({
      mayBegin: (service) => {
        asked.push(service)
        return may.promise
      },
    })
    await bench.clock.advance(60_000)
    expect([asked, bench.engine.starts.length]).toEqual([waits ? ['a'] : [], 0])
    may.resolve()
    if (waits && state === 'running') await bench.reaches('a', 'starting')
    for (let n = 0; n < 40 && waits && bench.engine.starts.length === 0; n++) await bench.clock.advance(100)
    expect(bench.engine.starts.length).toBe(waits ? 1 : 0)
  })

  it('a stop ends what waits until it may begin again', async () => {
    const supervisor = await leave('running', 'nothing', 'service')
    await supervisor.boot({
      mayBegin: (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
    })
    await supervisor.stop('a', { why: 'others go first' })
    expect([bench.state('a'), bench.engine.starts]).toEqual(['stopped', []])
  })

  it('ends what no journal explains', async () => {
    const supervisor = await leave('exited', 'running', 'task')
    await supervisor.boot()
    expect(bench.engine.runs.size).toBe(0)
    expect(bench.reported).toEqual(['a orphan-removed'])
  })

  it('takes up runs of an engine that comes later', async () => {
    const supervisor = await leave('running', 'running', 'service')
    bench.engine.leave()
    await supervisor.boot()
    expect(supervisor.running()).toEqual(['a'])
    await bench.clock.advance(3000)
    expect(bench.engine.starts).toEqual([])
    await bench.engineReturns()
    await bench.until(() => supervisor.status('a')?.healthy === true)
    expect(bench.engine.starts).toEqual([])
  })

  it('keeps the code of what may run from the first moment on, also while the engine is away', async () => {
    const supervisor = await leave('running', 'running', 'service')
    bench.engine.leave()
    const booted = supervisor.boot()
    expect([...bench.code.kept]).toEqual(['a'])
    await booted
    await bench.engineReturns()
    await bench.until(() => supervisor.status('a')?.healthy === true)
    expect([bench.code.kept.size, bench.code.obtained]).toEqual([1, 1])
    await supervisor.stop('a', { why: 'that was all' })
    expect(bench.code.kept.size).toBe(0)
  })

  it('says in the log of a run that goes on that it does, and no second time that it began', async () => {
    const before = await bench.running('a')
    await before[Symbol.asyncDispose]()
    const supervisor = bench.start()
    await supervisor.boot()
    const linesNow = async () => {
      const lines = await Array.fromAsync(supervisor.logs('a', { tail: 100, follow: false }))
      return lines.map(({ line }) => line)
    }
    const end = performance.now() + 10_000
    while ((await linesNow()).length < 4 && performance.now() < end) await new Promise((done) => setTimeout(done, 5))
    expect(await linesNow()).toEqual([
      ...['fetching', 'starting', 'running'],
      'running: it went on while the node was away',
    ])
  })

  it('gives no user of what is left over to another run before its executor has removed that', async () => {
    const before = await bench.running('a', { run: { kind: 'task', restart: 'never' } })
    await before[Symbol.asyncDispose]()
    const left = bench.runId('a')
    bench.journal.update(left, { state: 'failed', at: START_MS })
    bench.engine.leave()
    const released: string[] = []
    const release = (id: string) => {
      released.push(id)
      expect(bench.engine.runs.size).toBe(0)
    }
    const holders = () => [left, `${left}-build`, 'ready']
    const userIds = { claim: () => 200_000, release, holders, transfer: () => {} }
    const supervisor = bench.start({}, { userIds })
    await supervisor.boot()
    expect([bench.engine.runs.size, released]).toEqual([1, []])
    await bench.engineReturns()
    await bench.until(() => released.length === 3)
    expect(released.toSorted()).toEqual([left, `${left}-build`, 'ready'].toSorted())
  })

  it('keeps no code of what no process has begun', async () => {
    const before = bench.start({ startsAtOnce: 1 })
    bench.code.onObtain = (signal) => new Promise((_, reject) => signal.addEventListener('abort', reject))
    before.run(serviceOf('a'), GRANT)
    await bench.reaches('a', 'fetching')
    await before[Symbol.asyncDispose]()
    await bench.start().boot()
    expect(bench.code.kept.size).toBe(0)
  })

  describe('closing', () => {
    it('leaves runs as they are, to be adopted', async () => {
      const supervisor = await bench.running('a')
      await supervisor[Symbol.asyncDispose]()
      expect([bench.state('a'), bench.engine.runs.size, bench.engine.stops.length]).toEqual(['running', 1, 0])
      expect(bench.code.held).toBe(0)
    })

    it('with stopOnClose ends them, and a service starts again with the node', async () => {
      const supervisor = bench.start({ stopOnClose: true })
      supervisor.run(serviceOf('a'), GRANT)
      supervisor.run(serviceOf('b', { kind: 'task' }), GRANT)
      await bench.until(() => bench.state('a') === 'running' && bench.state('b') === 'running')
      await supervisor[Symbol.asyncDispose]()
      expect(bench.engine.runs.size).toBe(0)
      expect(bench.state('b')).toBe('stopped')
      const next = bench.start()
      await next.boot()
      await bench.reaches('a', 'running')
      expect(next.running()).toEqual(['a'])
    })

    it('takes no more', async () => {
      const supervisor = bench.start()
      await supervisor[Symbol.asyncDispose]()
      expect(() => supervisor.run(serviceOf('a'), GRANT)).toThrow(/closing/)
    })
  })
})
