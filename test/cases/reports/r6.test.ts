import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Supervisor } from '../../../src/execution/index.ts'
import { type Bench, createBench, GRANT, serviceOf } from '../../fixtures/execution/supervisor-harness.ts'

// beside r5.test.ts, where a publisher reads it of a real run

describe('R6: a run that had too long', () => {
  let bench: Bench
  let supervisor: Supervisor
  beforeEach(async () => {
    bench = await createBench()
    supervisor = bench.start()
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  it('names whose time limit was over, and how long it was', async () => {
    supervisor.run(serviceOf('own', { kind: 'task', timeout: 10 }), { ...GRANT, timeoutSeconds: 10 })
    supervisor.run(serviceOf('theirs', { kind: 'task', timeout: 3600 }), { ...GRANT, timeoutSeconds: 120 })
    await bench.until(() => bench.state('own') === 'running' && bench.state('theirs') === 'running')
    await bench.clock.advance(130_000)
    await bench.until(() => bench.state('own') === 'failed' && bench.state('theirs') === 'failed')
    expect(bench.journal.ofService('own')?.detail).toBe(
      'its time limit of 10s, set by the service (run.timeout), was over',
    )
    expect(bench.journal.ofService('theirs')?.detail).toBe(
      'its time limit of 2m, set by this node (LIMITS.SERVICE.TIMEOUT or its runner), was over',
    )
  })
})
