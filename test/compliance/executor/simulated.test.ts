import { systemClock } from '../../../src/base/clock.ts'
import { systemDisk } from '../../../src/base/os/disk.ts'
import { createSimulatedExecutor, type RunTable } from '../../../src/simulation/machine/executor.ts'
import { scriptProgram } from '../../fixtures/execution/script-program.ts'
import { describeExecutor } from './kit.ts'

const NO_PROCESS = 'a program is a function and no process'
const NO_FILES = 'a program is a function and has no file system'
const NO_NETWORK = 'there is no network, and no grant of one'

const table: RunTable = new Map()
const programs = { node: scriptProgram() }
const logs = { maxBytes: 256 * 1024, keep: 2 }
const components = { clock: systemClock(), disk: systemDisk() }

describeExecutor(
  'simulated',
  (_dirs, nodeId) => createSimulatedExecutor(components, { nodeId, programs, logs, table }),
  {
    leftOut: {
      limits: 'nothing holds a function to limits; the executor says so',
      'the way out': NO_NETWORK,
      usage: 'a function uses what the simulation uses',
      'what a task leaves': 'it keeps nothing; its plans have no outputs',
      'without end fills no disk and can be stopped': 'a function that never returns is never stopped',
      'is read-only but for /work and /tmp': NO_FILES,
      'lets a build write its code': NO_FILES,
      'gives no more disk than granted': NO_FILES,
      'shows nothing of the machine but its programs': NO_FILES,
      'is loopback alone, without a route': NO_NETWORK,
      'lets no connection out, to the node, its machine or the world': NO_NETWORK,
      'then kills, children included': NO_PROCESS,
      'has the rights, namespaces and control groups of the run': NO_PROCESS,
      'that hangs is late, and there is never a second beside it': NO_PROCESS,
    },
  },
)
