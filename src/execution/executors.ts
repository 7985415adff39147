import { existsSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import { type Configuration, loadDockerOptions, mirrorsOf, openRuntimeDir, toolchains } from '../config/index.ts'
import {
  createDockerExecutor,
  createHostExecutor,
  createPoolExecutor,
  createSwarmExecutor,
  type Executor,
  type LogLimits,
  type PoolExecutor,
  type UserIds,
} from './index.ts'

/** The ways in which this node can run a service, best first, and its pools. Which of them are there is found out by asking them. */
export async function createExecutors(
  components: { clock: Clock; rng: Rng; log: Log; userIds?: UserIds | undefined },
  init: {
    configuration: Pick<Configuration, 'dir' | 'dataDir' | 'runtime' | 'policy'> &
      Partial<Pick<Configuration, 'dockerEnvironment'>>
    own: string
    peerId: string
    /** peer id of the node whose pools these are; default: this one */
    poolsOf?: string | undefined
    logs: LogLimits
  },
): Promise<{ executors: readonly Executor[]; pool: PoolExecutor } & AsyncDisposable> {
  const { configuration, own, peerId, logs } = init
  const { config } = configuration.policy
  const runtimeDir = await openRuntimeDir(configuration.runtime, peerId.slice(-12))
  const nodeId = peerId.slice(-16)
  const { dataDir } = configuration
  const engine = {
    ...(await loadDockerOptions(configuration.dir, config, { environment: configuration.dockerEnvironment })),
    runtime: config.DOCKER_CONFIGS.runtime,
  }
  const containers = {
    nodeId,
    runtimeDir,
    logs,
    docker: engine,
    toolchains: Object.fromEntries(toolchains.map((toolchain) => [toolchain.name, toolchain])),
    ownAddress: own,
    registries: (author: string) => mirrorsOf(config, 'DOCKER', { own: author === own }),
  }
  const docker = createDockerExecutor(components, containers)
  const { SWARM: enabled, SWARM_REGISTRY: registry = '', SWARM_CONSTRAINTS: constraints } = config.DOCKER_CONFIGS
  const keyFile = join(dataDir, 'swarm-key')
  // what an earlier policy placed there is found again and ends in good order
  const swarm =
    enabled || existsSync(keyFile)
      ? [createSwarmExecutor(components, { ...containers, enabled, registry, constraints, keyFile })]
      : []
  const host = createHostExecutor(components, {
    nodeId,
    runtimeDir,
    logs,
    ownAddress: own,
    runsDir: join(dataDir, 'runs'),
    bubblewrap: config.HOST.BUBBLEWRAP,
    sandbox: config.HOST.SANDBOX,
    programs: Object.fromEntries(toolchains.map(({ name, program }) => [name, program])),
  })
  const pool = createPoolExecutor(components, {
    nodeId: (init.poolsOf ?? peerId).slice(-16),
    runtimeDir,
    logs,
    docker: engine,
    poolsDir: join(dataDir, 'pools'),
    codeDirs: [join(dataDir, 'code'), join(dataDir, 'builds')],
    logsDir: join(dataDir, 'logs'),
    builder: docker,
  })
  return {
    executors: [docker, host, ...swarm],
    pool,
    async [Symbol.asyncDispose]() {
      await Promise.all([pool, docker, host, ...swarm].map((executor) => executor[Symbol.asyncDispose]()))
      // what is not empty belongs to runs that go on
      await rmdir(runtimeDir).catch(() => {})
    },
  }
}
