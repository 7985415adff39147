import { afterAll, beforeAll, describe } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createDockerExecutor } from '../../src/execution/index.ts'
import { type OwnEngine, startOwnEngine } from '../fixtures/execution/isolated-docker.ts'
import { needs } from '../require.ts'
import { describeExecutor } from './executor-kit.ts'

const logs = { maxBytes: 256 * 1024, keep: 2 }

describe.skipIf(!needs('own-engine'))('with a Docker engine that shares no folder with the node', () => {
  let engine: OwnEngine
  beforeAll(async () => {
    engine = await startOwnEngine()
  })
  afterAll(() => engine[Symbol.asyncDispose]())

  describeExecutor({
    name: 'docker',
    logs,
    create: (dirs, nodeId) =>
      createDockerExecutor(
        { clock: systemClock(), log: silentLog() },
        {
          docker: engine.config,
          nodeId,
          runtimeDir: dirs.runtime,
          toolchains: { 'node.js': { image: 'thundercloud/node' } },
          registries: [],
          logs,
        },
      ),
  })
})
