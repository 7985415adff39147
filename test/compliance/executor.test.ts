import { describe } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createDockerExecutor, createHostExecutor } from '../../src/execution/index.ts'
import { needs } from '../require.ts'
import { describeExecutor } from './executor-kit.ts'

const components = { clock: systemClock(), log: silentLog() }
const logs = { maxBytes: 256 * 1024, keep: 2 }

describe.skipIf(!needs('bubblewrap'))('with bubblewrap', () => {
  describeExecutor({
    name: 'host',
    logs,
    create: (dirs, nodeId) =>
      createHostExecutor(components, {
        nodeId,
        ownAddress: 'own',
        runsDir: dirs.runs,
        runtimeDir: dirs.runtime,
        logs,
        sandbox: 'bubblewrap',
      }),
  })
})

describe.skipIf(!needs('engine'))('with a Docker engine', () => {
  describeExecutor({
    name: 'docker',
    logs,
    create: (dirs, nodeId) =>
      createDockerExecutor(components, {
        docker: {},
        nodeId,
        runtimeDir: dirs.runtime,
        toolchains: { 'node.js': { image: 'thundercloud/node' } },
        registries: [],
        logs,
      }),
  })
})
