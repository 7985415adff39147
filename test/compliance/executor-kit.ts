import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createDockerExecutor, createHostExecutor, createUserIds, type Executor } from '../../src/execution/index.ts'
import { makeRunDirs, type PlanChange, planFor, type RunDirs, runToEnd } from '../fixtures/execution/run-fixture.ts'
import { alwaysReady, UIDS } from '../fixtures/execution/warm-host.ts'
import { system } from '../fixtures/system.ts'
import { describeBasics } from './executor-kit-basics.ts'
import { describeCheck } from './executor-kit-check.ts'
import { describeEgress } from './executor-kit-egress.ts'
import { describeLife } from './executor-kit-lifecycle.ts'
import { describeLimits } from './executor-kit-limits.ts'
import { describeNetwork } from './executor-kit-network.ts'
import { describeOutputs } from './executor-kit-outputs.ts'

type Create = (dirs: RunDirs, nodeId: string) => Executor
type DockerConfig = Parameters<typeof createDockerExecutor>[1]['docker']

const components = { clock: systemClock(), log: silentLog() }
const logs = { maxBytes: 256 * 1024, keep: 2 }
const toolchains = { 'node.js': { image: 'thundercloud/node' } }

export const onHost: Create = ({ runs: runsDir, runtime: runtimeDir }, nodeId) =>
  createHostExecutor(components, { nodeId, ownAddress: 'own', runsDir, runtimeDir, logs, sandbox: 'bubblewrap' })

/** Of what a node keeps ready, each run takes what fits. `starts`: how they began. */
export const warmOnHost =
  (starts: string[]): Create =>
  ({ runs: runsDir, runtime: runtimeDir, base }, nodeId) => {
    const userIds = createUserIds(system, { range: UIDS, dir: join(base, 'uids'), owner: base })
    const init = { nodeId, ownAddress: 'own', runsDir, runtimeDir, logs, sandbox: 'bubblewrap' } as const
    return alwaysReady(createHostExecutor({ ...components, userIds }, init), starts)
  }

export const inDocker =
  (docker: () => DockerConfig): Create =>
  ({ runtime: runtimeDir }, nodeId) =>
    createDockerExecutor(components, {
      docker: docker(),
      nodeId,
      ownAddress: 'own',
      runtimeDir,
      toolchains,
      registries: () => [],
      logs,
    })

/** What every executor must do, whatever it is made of. */
export function describeExecutor(name: string, create: Create): void {
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
      if (Symbol.asyncDispose in executor) await (executor as AsyncDisposable)[Symbol.asyncDispose]()
      await dirs[Symbol.asyncDispose]()
    })

    const context = { nodeId, logs, dirs: () => dirs, executor: () => executor, create, plan, outcome, json }
    describeBasics(context)
    describeLimits(context)
    describeNetwork(context)
    describeEgress(context)
    describeLife(context)
    describeCheck(context)
    describeOutputs(context)
  })
}
