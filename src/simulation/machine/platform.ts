import { MemoryDatastore } from 'datastore-core'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { synchronousZstd } from '../../code/archive/zstd.ts'
import { openJournal } from '../../journal/index.ts'
import type { NodeComponents, Pools } from '../../node/index.ts'
import { simulatedTransport } from '../network/transport.ts'
import type { Wire } from '../network/wire.ts'
import { createSimulatedExecutor, type RunTable } from './executor.ts'
import { createMemoryDisk } from './memory-disk.ts'
import { standardPrograms } from './program.ts'
import { MACHINE } from './resources.ts'
import { simulatedUnpacker } from './unpacker.ts'

type Platform = NonNullable<NodeComponents['platform']>

/** A machine of its own for one node: disk, processes and network of a simulation. */
export function simulatedPlatform({ clock, wire }: { clock: Clock; wire: Wire }, init: { host: string }): Platform {
  const disk = createMemoryDisk({ clock })
  const table: RunTable = new Map()
  return {
    machine: { read: async () => MACHINE },
    internet: { lookup: nowhere, open: nowhere },
    host: { transport: simulatedTransport(wire, init.host), datastore: new MemoryDatastore() },
    disk,
    code: { zstd: synchronousZstd(), unpacker: simulatedUnpacker(disk) },
    async openFolder(dir) {
      await disk.mkdir(dir, { recursive: true })
      return { [Symbol.asyncDispose]: async () => {} }
    },
    openJournal: (journal) => openJournal({ ...journal, path: ':memory:' }),
    openUserIds: async () => undefined,
    async createExecutors(_components, { peerId, logs }) {
      const executor = createSimulatedExecutor(
        { clock, disk },
        { nodeId: peerId, programs: standardPrograms, logs, table },
      )
      return { executors: [executor], pools: noPools, [Symbol.asyncDispose]: async () => {} }
    },
  }
}

async function nowhere(): Promise<never> {
  throw new UnavailableError('a simulated machine has no other network than the mesh')
}

const noPools: Pools = {
  list: async () => [],
  create: nowhere,
  remove: nowhere,
}
