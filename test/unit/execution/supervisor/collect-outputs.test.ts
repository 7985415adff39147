import { raceSignal } from 'race-signal'
import { describe, expect, it } from 'vitest'
import type { OutputKeeper, TaskOutputs } from '../../../../src/execution/index.ts'
import { GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

const MAX = { maxBytes: 1000, maxEntries: 10 }

describe('a supervised task that leaves something', () => {
  const bench = useBench()
  const run = { kind: 'task' as const, outputs: ['out'] }
  /** Paths, or the problem, of each time that something was to be kept. */
  const kept: string[] = []
  /** A keeper that does what a test says, and notes the run's state at that time. */
  const keeperThat = (keep: (left: TaskOutputs) => Promise<string>): OutputKeeper => ({
    limits: () => MAX,
    async keep({ service }, left, { signal }) {
      const what = 'problem' in left ? left.problem : (await Array.fromAsync(left.paths)).map(({ path }) => path).join()
      kept.push(`${bench.state(service.id)}: ${what}`)
      return raceSignal(keep(left), signal)
    },
  })
  const begin = async (keep: (left: TaskOutputs) => Promise<string> = async () => 'kept') => {
    kept.length = 0
    bench.engine.left = (paths) => ({
      paths: (async function* () {
        for (const path of paths) yield { path, tar: undefined }
      })(),
    })
    const supervisor = bench.start({}, { outputs: keeperThat(keep) })
    supervisor.run(serviceOf('a', run), GRANT)
    await bench.reaches('a', 'running')
    return supervisor
  }

  it('is done when that is kept: the journal says that it runs until then, and nothing of it is removed', async () => {
    await begin(async () => {
      expect(bench.engine.runs.size).toBe(1)
      return 'kept'
    })
    expect(bench.engine.runs.get(bench.runId('a'))?.plan.outputs).toEqual({ ...MAX, paths: ['out'] })
    await bench.over('a')
    expect([kept, bench.state('a'), bench.engine.runs.size]).toEqual([['running: out'], 'exited', 0])
  })

  it('leaves nothing where it fails', async () => {
    await begin()
    await bench.over('a', 1)
    expect([kept, bench.state('a')]).toEqual([[], 'failed'])
  })

  it('is taken by the next node where one is killed between its end and that', async () => {
    await begin(() => new Promise(() => {}))
    bench.end('a')
    await bench.until(() => kept.length === 1)
    // nothing of the first is called any more
    const next = bench.start({}, { outputs: keeperThat(async () => 'kept') })
    await next.boot()
    await bench.until(() => bench.state('a') === 'exited')
    expect([kept, bench.engine.starts.length]).toEqual([['running: out', 'running: out'], 1])
  })

  it('is done also where its outputs are gone, or never can be kept, and that is kept', async () => {
    let tries = 0
    await begin(async (left) => {
      if ('problem' in left) return 'noted'
      tries++
      throw new Error('no luck')
    })
    bench.end('a')
    for (let minute = 0; minute < 6; minute++) await bench.clock.advance(60_000)
    await bench.idle()
    expect(kept.at(-1)).toBe('running: could not be kept: taking them took too long')
    expect([tries > 3, bench.state('a')]).toEqual([true, 'exited'])
  })

  it('waits for its turn to be packed, however long that is', async () => {
    const turn = Promise.withResolvers<string>()
    await begin(() => turn.promise)
    bench.end('a')
    await bench.until(() => kept.length === 1)
    for (let minute = 0; minute < 9; minute++) await bench.clock.advance(60_000)
    turn.resolve('kept')
    await bench.idle()
    expect([kept, bench.state('a')]).toEqual([['running: out'], 'exited'])
  })

  it('is done where not even that can be kept', async () => {
    await begin(async () => {
      throw new Error('no luck')
    })
    bench.end('a')
    for (let minute = 0; minute < 6; minute++) await bench.clock.advance(60_000)
    await bench.idle()
    expect(bench.state('a')).toBe('exited')
  })

  it('waits for an engine that is away', async () => {
    await begin()
    const { left } = bench.engine
    let times = 0
    bench.engine.left = (paths) => {
      if (++times === 1) throw new Error('the connection broke')
      return left?.(paths) ?? { problem: 'none' }
    }
    bench.end('a')
    await bench.until(() => times === 1)
    await bench.clock.advance(60_000)
    await bench.idle()
    expect([kept, bench.state('a')]).toEqual([['running: out'], 'exited'])
  })

  it('is refused where the executor keeps nothing', async () => {
    const executors = [{ ...bench.createExecutor(), keepsOutputs: undefined }]
    const supervisor = bench.start({}, { outputs: keeperThat(async () => ''), executors })
    supervisor.run(serviceOf('a', run), GRANT)
    await bench.reaches('a', 'refused')
    expect(bench.record('a')?.detail).toContain('run.outputs')
  })
})
