import { beforeEach, describe, expect, it } from 'vitest'
import type { Supervisor } from '../../../../src/execution/index.ts'
import { CAPACITY, GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

const ports = [{ name: 'http', port: 8080 }]

describe('an update', () => {
  const bench = useBench()
  let supervisor: Supervisor
  beforeEach(async () => {
    supervisor = await bench.running('v1')
    await bench.clock.advance(11_000)
    await bench.until(() => supervisor.healthy('v1'))
  })
  /** Only this runs. */
  const left = (id: string) => bench.until(() => supervisor.running().join() === id)
  const begin = async (id: string, run: object = {}, replaces = 'v1') => {
    supervisor.run(serviceOf(id, run), GRANT, { replaces })
    await bench.reaches(id, 'running')
  }

  it('that shares data with the version before starts when that one has ended, and its failure brings nothing back', async () => {
    const executor = { ...bench.createExecutor(), isExclusive: async () => true }
    const on = bench.start({}, { executors: [executor] })
    await bench.running('one', { on })
    let before: string | undefined
    bench.engine.onStart = () => {
      before = bench.state('one')
    }
    on.run(serviceOf('two'), GRANT, { replaces: 'one' })
    await bench.reaches('two', 'running')
    expect(before).toBe('stopped')
    expect(bench.record('one')).toMatchObject({ detail: expect.stringMatching(/may use its data/) })
    bench.end('two', 1)
    await bench.until(() => bench.state('two') === 'starting')
    expect(bench.record('two')?.detail).not.toMatch(/previous version/)
  })

  it('without ports stops the version before when it was up for the healthy time, and not sooner', async () => {
    await begin('v2')
    await bench.clock.advance(9_000)
    expect(supervisor.running().sort()).toEqual(['v1', 'v2'])
    await bench.clock.advance(2_000)
    await left('v2')
    expect(bench.record('v1')?.detail).toBe('a newer version of it is healthy')
  })

  it.each([0, 1])(
    'that ends before it is healthy (exit code %i) has failed, and the version before goes on',
    async (exitCode) => {
      await begin('v2')
      await bench.clock.advance(700)
      bench.end('v2', exitCode)
      await left('v1')
      const detail = expect.stringMatching(/ended before it was healthy; .* the previous version keeps running/)
      expect(bench.record('v2')).toMatchObject({ state: 'failed', exitCode, restarts: 0 })
      expect(bench.record('v2')).toMatchObject({ detail })
      expect(supervisor.healthy('v1')).toBe(true)
    },
  )

  it('stops the older version only when the newer one answers', async () => {
    bench.engine.listening.add(8080)
    await bench.running('old', { run: { ports }, on: supervisor })
    await bench.clock.advance(3000)
    await bench.until(() => supervisor.healthy('old'))
    bench.engine.listening.clear()
    await begin('new', { ports }, 'old')
    await bench.clock.advance(5000)
    expect([bench.state('old'), supervisor.status('new')?.healthy]).toEqual(['running', false])
    bench.engine.listening.add(8080)
    // it has accepted a connection, and may still fall over
    await bench.clock.advance(1000)
    expect([bench.state('old'), supervisor.healthy('new')]).toEqual(['running', false])
    await bench.clock.advance(2500)
    await bench.until(() => supervisor.running().sort().join() === 'new,v1')
    expect(bench.state('old')).toBe('stopped')
    expect(supervisor.status('new')?.healthy).toBe(true)
  })

  it('whose port never answers is given up, and says which', async () => {
    await begin('v2', { ports })
    await bench.clock.advance(59_000)
    expect(supervisor.running().sort()).toEqual(['v1', 'v2'])
    await bench.clock.advance(2_000)
    await left('v1')
    const detail = expect.stringMatching(/^it was not healthy after 1m, .*"http" \(8080\); the update failed/)
    expect(bench.record('v2')).toMatchObject({ state: 'failed', detail })
  })

  it('after a failed one stops the version that went on', async () => {
    await begin('v2')
    bench.end('v2', 1)
    await left('v1')
    await begin('v3', {}, 'v2')
    await bench.clock.advance(11_000)
    await left('v3')
  })

  it('that was healthy is begun again when it ends: there is nothing to go back to', async () => {
    await begin('v2')
    await bench.clock.advance(11_000)
    await left('v2')
    bench.end('v2', 1)
    await bench.until(() => bench.record('v2')?.restarts === 1)
    expect(bench.state('v2')).toBe('starting')
  })

  it('ends a version that kept ending, and is begun again like any other', async () => {
    bench.end('v1', 1)
    await bench.reaches('v1', 'starting')
    await begin('v2')
    await left('v2')
    const detail = expect.stringContaining('a newer version is here, and this one kept failing')
    expect(bench.record('v1')).toMatchObject({ state: 'stopped', detail })
    bench.end('v2', 1)
    await bench.until(() => bench.record('v2')?.restarts === 1)
  })

  it('that is another failure leaves the version that is healthy, and no other', async () => {
    await begin('v2', { ports })
    await begin('v3', {}, 'v2')
    expect(supervisor.running().sort()).toEqual(['v1', 'v2', 'v3'])
    bench.end('v3', 1)
    await bench.reaches('v3', 'failed')
    expect(supervisor.healthy('v1')).toBe(true)
  })

  it('that does not fit beside the version before is reported', async () => {
    const tight = bench.start({
      limits: () => ({ ...CAPACITY, memoryBytes: 300 * 2 ** 20 }),
    })
    tight.run(serviceOf('w1'), GRANT)
    expect(() => tight.run(serviceOf('w2'), GRANT, { replaces: 'w1' })).toThrow(
      /192 MiB of memory and 108 MiB are free beside the previous version, .*`thundercloud update --replace`/,
    )
    await tight.stop('w1', { why: 'test' })
    tight.run(serviceOf('w2'), GRANT, { replaces: 'w1' })
  })
})
