import { beforeEach, describe, expect, it } from 'vitest'
import { type Bench, createBench, GRANT, serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'

describe('a lost gateway', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
    return () => bench[Symbol.asyncDispose]()
  })

  it('ends the run after three silences in a row, and it begins again', async () => {
    const supervisor = bench.start()
    const runId = () => bench.journal.ofService('a')?.runId ?? ''
    bench.engine.listening.add(8080)
    supervisor.run(serviceOf('a', { ports: [{ name: 'http', port: 8080 }] }), GRANT)
    await bench.reaches('a', 'running')
    bench.engine.unreachable.add(runId())
    for (let round = 0; round < 2; round++) await bench.clock.advance(5000)
    expect(bench.state('a')).toBe('running')
    await bench.clock.advance(5000)
    await bench.reaches('a', 'starting')
    expect(bench.journal.ofService('a')?.detail).toMatch(/^it was unreachable: its gateway was lost; again in/)
    bench.engine.unreachable.clear()
    await bench.clock.advance(5000)
    await bench.reaches('a', 'running')
    expect(bench.engine.starts).toHaveLength(2)
  })

  it('one silence ends nothing', async () => {
    const supervisor = bench.start()
    bench.engine.listening.add(8080)
    supervisor.run(serviceOf('a', { ports: [{ name: 'http', port: 8080 }] }), GRANT)
    await bench.reaches('a', 'running')
    for (let round = 0; round < 6; round++) {
      const runId = bench.journal.ofService('a')?.runId ?? ''
      if (round % 2 === 0) bench.engine.unreachable.add(runId)
      else bench.engine.unreachable.clear()
      await bench.clock.advance(5000)
    }
    expect([bench.state('a'), bench.engine.starts.length]).toEqual(['running', 1])
  })
})
