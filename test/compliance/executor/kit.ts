import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { Grant } from '../../../src/base/verdict.ts'
import {
  createDockerExecutor,
  createHostExecutor,
  createPoolExecutor,
  createUserIds,
  type Executor,
  type PoolExecutor,
} from '../../../src/execution/index.ts'
import { swarmExecutor } from '../../fixtures/execution/executors.ts'
import {
  MIB,
  makeRunDirs,
  type PlanChange,
  planFor,
  type RunDirs,
  runToEnd,
} from '../../fixtures/execution/run-fixture.ts'
import type { OwnSwarm } from '../../fixtures/execution/swarm/own-swarm.ts'
import { alwaysWarm, UIDS } from '../../fixtures/execution/warm-host.ts'
import { system } from '../../fixtures/system.ts'
import { describeBasics } from './kit-basics.ts'
import { describeCheck } from './kit-check.ts'
import { describeEgress } from './kit-egress.ts'
import { describeLife } from './kit-lifecycle.ts'
import { describeLimits } from './kit-limits.ts'
import { describeNetwork } from './kit-network.ts'
import { describeOutputs } from './kit-outputs.ts'
import { createRows, type LeftOut } from './kit-rows.ts'
import { describeUsage } from './kit-usage.ts'

type Create = (dirs: RunDirs, nodeId: string) => Executor
type DockerConfig = Parameters<typeof createDockerExecutor>[1]['docker']

const components = { clock: systemClock(), rng: systemRng(), log: silentLog() }
const logs = { maxBytes: 256 * 1024, keep: 2 }
const toolchains = { 'node.js': { image: 'thundercloud/node' } }

export const onHost: Create = ({ runs: runsDir, runtime: runtimeDir }, nodeId) =>
  createHostExecutor(components, { nodeId, ownAddress: 'own', runsDir, runtimeDir, logs, sandbox: 'bubblewrap' })

/** Of what a node keeps warm, each run takes what fits. `starts`: how they began. */
export const warmOnHost =
  (starts: string[]): Create =>
  ({ runs: runsDir, runtime: runtimeDir, base }, nodeId) => {
    const userIds = createUserIds(system, { range: UIDS, dir: join(base, 'uids'), owner: base })
    const init = { nodeId, ownAddress: 'own', runsDir, runtimeDir, logs, sandbox: 'bubblewrap' } as const
    return alwaysWarm(createHostExecutor({ ...components, userIds }, init), starts)
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

/** Of the containers that a node keeps warm, each run takes what fits. */
export const warmInDocker =
  (starts: string[]): Create =>
  ({ runtime: runtimeDir, base }, nodeId) => {
    const userIds = createUserIds(system, { range: UIDS, dir: join(base, 'uids'), owner: base })
    const init = { docker: {}, nodeId, ownAddress: 'own', runtimeDir, toolchains, registries: () => [], logs }
    return alwaysWarm(createDockerExecutor({ ...components, userIds }, init), starts)
  }

/** On the second of its machines. */
export const inSwarm =
  (swarm: () => OwnSwarm): Create =>
  (dirs, nodeId) => {
    const { config: docker, registry, ids } = swarm()
    return swarmExecutor(dirs, { docker, registry, nodeId, logs, constraints: [`node.id==${ids.second}`] })
  }

type CreatePool = (dirs: RunDirs, nodeId: string) => PoolExecutor

/** Who may use the pools of the kit. */
const OWNER = 'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq'

export const inPool: CreatePool = (dirs, nodeId) => {
  const { base, runtime: runtimeDir, logs: logsDir, code, builds } = dirs
  const common = { docker: {}, nodeId, runtimeDir, logs }
  const builder = inDocker(() => ({}))(dirs, nodeId)
  return createPoolExecutor(components, {
    ...common,
    poolsDir: join(base, 'pools'),
    codeDirs: [code, builds],
    logsDir,
    builder,
  })
}

/** Pools of an executor under test: of the size that is asked for, else of one that holds any run of the kit. */
export function poolsOf(executor: () => PoolExecutor) {
  const made = new Set<string>()
  return {
    async limited({ memoryBytes = 448 * MIB, cpuMillicores = 2000, pids = 256 }: Partial<Grant>): Promise<PlanChange> {
      const name = `kit${memoryBytes}_${cpuMillicores}_${pids}-${OWNER}-node`
      const spec = { name, image: 'thundercloud/node', memoryBytes, cpuMillicores, pids }
      if (!made.has(name)) await executor().pools.create(spec)
      made.add(name)
      return { author: OWNER, grant: { pool: name } }
    },
    async [Symbol.asyncDispose]() {
      for (const name of made) await executor().pools.remove(name, { force: true })
    },
  }
}

/** What every executor must do, whatever it is made of. Its own pools are `pooled`. */
export function describeExecutor(
  name: string,
  create: Create,
  { pooled = false, leftOut = {} }: { pooled?: boolean; leftOut?: LeftOut } = {},
): void {
  describe(`executor ${name}`, () => {
    const nodeId = `kit-${name.replaceAll(/[^a-z]/g, '')}-${process.pid}`
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    const pools = poolsOf(() => executor as PoolExecutor)
    const limited = async (grant: Partial<Grant>) => (pooled ? pools.limited(grant) : { grant })
    const plan = async (script: string, change?: PlanChange) => {
      const place = pooled ? await pools.limited({}) : {}
      return planFor(executor, dirs, script, { ...place, ...change, grant: { ...place.grant, ...change?.grant } })
    }
    const outcome = async (script: string, change?: PlanChange) => runToEnd(executor, await plan(script, change))
    const json = async (script: string, change?: PlanChange) => {
      const { end, out, err } = await outcome(script, change)
      expect({ end, err }).toMatchObject({ end: { exitCode: 0, reason: 'exit' } })
      return JSON.parse(out.join('\n'))
    }

    beforeAll(async () => {
      dirs = await makeRunDirs()
      executor = create(dirs, nodeId)
      if (pooled) await pools.limited({})
      expect(await executor.available()).toMatchObject({ available: true })
      // The first run may have to make an image.
      await outcome('')
    }, 180_000)

    afterAll(async () => {
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await pools[Symbol.asyncDispose]()
      if (Symbol.asyncDispose in executor) await (executor as AsyncDisposable)[Symbol.asyncDispose]()
      await dirs[Symbol.asyncDispose]()
    })

    const { it, group } = createRows(leftOut)
    const context = {
      it,
      nodeId,
      logs,
      dirs: () => dirs,
      executor: () => executor,
      create,
      plan,
      outcome,
      json,
      limited,
    }
    describeBasics(context)
    group('limits', () => describeLimits(context))
    describeNetwork(context)
    group('the way out', () => describeEgress(context))
    describeLife(context)
    describeCheck(context)
    group('usage', () => describeUsage(context))
    group('what a task leaves', () => describeOutputs(context))
  })
}
