import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Executor } from '../../src/execution/index.ts'
import { makeRunDirs, type PlanChange, planFor, type RunDirs, runToEnd } from '../fixtures/execution/run-fixture.ts'
import { describeBasics } from './executor-kit-basics.ts'
import { describeLife } from './executor-kit-life.ts'
import { describeLimits } from './executor-kit-limits.ts'
import { describeNetwork } from './executor-kit-network.ts'

export type ExecutorKit = {
  readonly name: string
  readonly logs: { maxBytes: number; keep: number }
  create(dirs: RunDirs, nodeId: string): Executor
}

/** What every executor must do, whatever it is made of. */
export function describeExecutor({ name, create, logs }: ExecutorKit): void {
  describe(`executor ${name}`, () => {
    const nodeId = `kit-${name.replaceAll(/[^a-z]/g, '')}-${process.pid}`
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    const plan = (script: string, change?: PlanChange) => planFor(executor, dirs, script, change)
    const outcome = async (script: string, change?: PlanChange) => runToEnd(executor, await plan(script, change))
    const json = async (script: string, change?: PlanChange) => {
      const { end, out, err } = await outcome(script, change)
      expect({ end, err }).toMatchObject({ end: { exitCode: 0, reason: 'exit' } })
      return JSON.parse(out.join('\n'))
    }

    beforeAll(async () => {
      dirs = await makeRunDirs()
      executor = create(dirs, nodeId)
      expect(await executor.available()).toMatchObject({ available: true })
      // The first run may have to make an image.
      await outcome('')
    }, 180_000)

    afterAll(async () => {
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await dirs[Symbol.asyncDispose]()
    })

    const context = { nodeId, logs, dirs: () => dirs, executor: () => executor, create, plan, outcome, json }
    describeBasics(context)
    describeLimits(context)
    describeNetwork(context)
    describeLife(context)
  })
}
