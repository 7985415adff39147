import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createHostExecutor, type Executor } from '../../../src/execution/index.ts'
import { dockerExecutor } from '../../fixtures/execution/docker-executor.ts'
import { makeRunDirs, planFor, type RunDirs } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const EXECUTORS = [
  {
    name: 'host',
    need: 'bubblewrap',
    create: (dirs: RunDirs): Executor =>
      createHostExecutor(
        { clock: systemClock(), log: silentLog() },
        {
          nodeId: `s13-${process.pid}`,
          ownAddress: 'own',
          runsDir: dirs.runs,
          runtimeDir: dirs.runtime,
          logs: { maxBytes: 100_000, keep: 1 },
          sandbox: 'bubblewrap',
        },
      ),
  },
  { name: 'docker', need: 'engine', create: (dirs: RunDirs): Executor => dockerExecutor(dirs, { nodeId: 's13' }) },
] as const

/** It hears SIGTERM and goes on. */
const STUBBORN = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`

describe.each(EXECUTORS)('S13: limits hold where no node is there ($name)', ({ need, create }) => {
  it.skipIf(!needs(need))('a time limit, and what comes back finds that it was one', async () => {
    await using dirs = await makeRunDirs()
    const executor = create(dirs)
    const plan = await planFor(executor, dirs, STUBBORN, { lifetime: { afterMs: 3000, graceMs: 500 } })
    await executor.start(plan)
    // nobody waits for it, stops it or asks about it: the node that started it is gone
    const ended = async () => (await executor.adopt()).find(({ runId }) => runId === plan.runId)
    await expect.poll(async () => (await ended())?.state, { timeout: 45_000, interval: 500 }).toBe('ended')
    expect(await (await ended())?.run.wait()).toMatchObject({ reason: 'timeout' })
    await executor.remove(executor.handle(plan))
  })

  it.skipIf(!needs(need))('the expiry of the service', async () => {
    await using dirs = await makeRunDirs()
    const executor = create(dirs)
    const expiresAt = systemClock().now() + 3000
    const plan = await planFor(executor, dirs, STUBBORN, { lifetime: { expiresAt, graceMs: 500 } })
    await executor.start(plan)
    const ended = async () => (await executor.adopt()).find(({ runId }) => runId === plan.runId)
    await expect.poll(async () => (await ended())?.state, { timeout: 45_000, interval: 500 }).toBe('ended')
    await executor.remove(executor.handle(plan))
  })
})
