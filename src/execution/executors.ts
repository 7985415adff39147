import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Configuration, loadDockerOptions, mirrorsOf, openRuntimeDir, toolchains } from '../config/index.ts'
import { createDockerExecutor, createHostExecutor, type Executor, type LogLimits, type UserIds } from './index.ts'

/** The ways in which this node can run a service, best first. Which of them are there is found out by asking them. */
export async function createExecutors(
  components: { clock: Clock; log: Log; userIds?: UserIds | undefined },
  init: {
    configuration: Pick<Configuration, 'dir' | 'dataDir' | 'runtime' | 'policy'> &
      Partial<Pick<Configuration, 'dockerEnvironment'>>
    own: string
    peerId: string
    logs: LogLimits
  },
): Promise<{ executors: readonly Executor[] } & AsyncDisposable> {
  const { configuration, own, peerId, logs } = init
  const { config } = configuration.policy
  const runtimeDir = await openRuntimeDir(configuration.runtime, peerId.slice(-12))
  const nodeId = peerId.slice(-16)
  const docker = createDockerExecutor(components, {
    nodeId,
    runtimeDir,
    logs,
    docker: {
      ...(await loadDockerOptions(configuration.dir, config, { environment: configuration.dockerEnvironment })),
      runtime: config.DOCKER_CONFIGS.runtime,
    },
    toolchains: Object.fromEntries(toolchains.map((toolchain) => [toolchain.name, toolchain])),
    ownAddress: own,
    registries: (author) => mirrorsOf(config, 'DOCKER', { own: author === own }),
  })
  const host = createHostExecutor(components, {
    nodeId,
    runtimeDir,
    logs,
    ownAddress: own,
    runsDir: join(configuration.dataDir, 'runs'),
    bubblewrap: config.HOST.BUBBLEWRAP,
    sandbox: config.HOST.SANDBOX,
    programs: Object.fromEntries(toolchains.map(({ name, program }) => [name, program])),
  })
  return {
    executors: [docker, host],
    async [Symbol.asyncDispose]() {
      await Promise.all([docker[Symbol.asyncDispose](), host[Symbol.asyncDispose]()])
      // what is not empty belongs to runs that go on
      await rmdir(runtimeDir).catch(() => {})
    },
  }
}
