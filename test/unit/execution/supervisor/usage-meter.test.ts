import { beforeEach, describe, expect, it } from 'vitest'
import { type RunUsage, usageOf } from '../../../../src/base/run-usage.ts'
import type { RunEnd, Supervisor } from '../../../../src/execution/index.ts'
import { useBench } from '../../../fixtures/execution/supervisor-harness.ts'

/** The engine of these tests says that a run uses a tenth of a processor. */
describe('what a run has used', () => {
  const bench = useBench()
  const used = () => {
    const record = bench.journal.usage(bench.runId('a'))
    return record && usageOf(record)
  }
  const usedIs = (what: Partial<RunUsage>) =>
    bench.until(() => JSON.stringify({ ...used(), ...what }) === JSON.stringify(used()), JSON.stringify(what))
  const ends = (end: Partial<RunEnd>) => bench.engine.end(bench.runId('a'), end)

  let supervisor: Supervisor
  beforeEach(async () => {
    supervisor = await bench.running('a')
  })

  it('is looked at every minute, and at its end', async () => {
    expect(used()).toBeUndefined()
    await bench.clock.advance(60_000)
    await usedIs({ runningMs: 60_000, cpuMs: 6000, memoryBytes: 1000 })
    await bench.clock.advance(30_000)
    ends({ cpuMs: 8700 })
    await usedIs({ runningMs: 90_000, cpuMs: 8700, memoryBytes: 0 })
  })

  it('is not taken back by an end of which the executor knows less', async () => {
    await bench.clock.advance(60_000)
    await usedIs({ cpuMs: 6000 })
    ends({ endedAt: bench.clock.now() - 20_000 })
    await bench.reaches('a', 'starting')
    expect(used()).toMatchObject({ runningMs: 60_000, cpuMs: 6000 })
  })

  it('is the sum over its starts', async () => {
    await bench.clock.advance(60_000)
    await usedIs({ cpuMs: 6000 })
    ends({ cpuMs: 7000, exitCode: 1 })
    await usedIs({ cpuMs: 7000 })
    // the back-off
    await bench.until(() => {
      if (bench.engine.starts.length < 2) void bench.clock.advance(100)
      return bench.engine.starts.length === 2 && bench.state('a') === 'running'
    })
    await bench.clock.advance(60_000)
    await bench.until(() => (used()?.cpuMs ?? 0) >= 13_000)
    expect(used()?.runningMs).toBeGreaterThanOrEqual(120_000)
  })

  it('does not follow a wall clock that is set', async () => {
    await bench.clock.advance(60_000)
    await usedIs({ runningMs: 60_000 })
    bench.clock.jump(3_600_000)
    await bench.clock.advance(60_000)
    await usedIs({ runningMs: 120_000 })
    bench.clock.jump(-7_200_000)
    await bench.clock.advance(60_000)
    await usedIs({ runningMs: 180_000 })
  })

  it('is what its executor counted, where that counts', async () => {
    ends({ runningMs: 12_345, cpuMs: 6, receivedBytes: 7, sentBytes: 8, endedAt: bench.clock.now() + 3_600_000 })
    await usedIs({ runningMs: 12_345, cpuMs: 6, receivedBytes: 7, sentBytes: 8 })
  })

  it('of one that was lost while no node was there ends with the last look', async () => {
    await bench.clock.advance(60_000)
    await usedIs({ cpuMs: 6000 })
    await supervisor[Symbol.asyncDispose]()
    await bench.clock.advance(600_000)
    ends({ exitCode: 137 })
    const second = bench.start()
    await second.boot()
    await bench.reaches('a', 'starting')
    expect(used()).toMatchObject({ runningMs: 60_000, cpuMs: 6000 })
  })

  it('counts what it used while no node was there', async () => {
    await bench.clock.advance(60_000)
    await usedIs({ cpuMs: 6000 })
    await supervisor[Symbol.asyncDispose]()
    await bench.clock.advance(600_000)
    const second = bench.start()
    await second.boot()
    await bench.until(() => second.running().length === 1)
    await bench.clock.advance(60_000)
    await bench.until(() => (used()?.runningMs ?? 0) >= 720_000)
    expect(used()?.cpuMs).toBe(72_000)
  })
})
