import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Configuration, loadDockerOptions, mirrorsOf, openRuntimeDir, toolchains } from '../config/index.ts'
import {
  createDockerExecutor,
  createHostExecutor,
  createPoolExecutor,
  type Executor,
  type LogLimits,
  type PoolExecutor,
  type UserIds,
} from './index.ts'

/** The ways in which this node can run a service, best first, and its pools. Which of them are there is found out by asking them. */
export async function createExecutors(
  components: { clock: Clock; log: Log; userIds?: UserIds | undefined },
  init: {
    configuration: Pick<Configuration, 'dir' | 'dataDir' | 'runtime' | 'policy'> &
      Partial<Pick<Configuration, 'dockerEnvironment'>>
    own: string
    peerId: string
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
  const docker = createDockerExecutor(components, {
    nodeId,
    runtimeDir,
    logs,
    docker: engine,
    toolchains: Object.fromEntries(toolchains.map((toolchain) => [toolchain.name, toolchain])),
    ownAddress: own,
    registries: (author) => mirrorsOf(config, 'DOCKER', { own: author === own }),
  })
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
    nodeId,
    runtimeDir,
    logs,
    docker: engine,
    poolsDir: join(dataDir, 'pools'),
    codeDirs: [join(dataDir, 'code'), join(dataDir, 'builds')],
    logsDir: join(dataDir, 'logs'),
    builder: docker,
  })
  return {
    executors: [docker, host],
    pool,
    async [Symbol.asyncDispose]() {
      await Promise.all([pool[Symbol.asyncDispose](), docker[Symbol.asyncDispose](), host[Symbol.asyncDispose]()])
      // what is not empty belongs to runs that go on
      await rmdir(runtimeDir).catch(() => {})
    },
  }
}
