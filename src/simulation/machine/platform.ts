import type { Datastore } from 'interface-datastore'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { synchronousZstd } from '../../code/archive/zstd.ts'
import { openJournal } from '../../journal/index.ts'
import type { NodeComponents, Pools } from '../../node/index.ts'
import type { NetworkInterface } from '../network/interface.ts'
import { simulatedTransport } from '../network/transport.ts'
import { createSimulatedExecutor, type RunTable } from './executor.ts'
import type { Fence } from './fence.ts'
import { FencedDatastore } from './fenced-datastore.ts'
import { fencedDisk } from './fenced-disk.ts'
import { fencedExecutor } from './fenced-executor.ts'
import type { JournalFile } from './journal-file.ts'
import type { MemoryDisk } from './memory-disk.ts'
import { standardPrograms } from './program.ts'
import { MACHINE } from './resources.ts'
import { simulatedUnpacker } from './unpacker.ts'

export type Platform = NonNullable<NodeComponents['platform']>

type PlatformComponents = {
  readonly clock: Clock
  readonly disk: MemoryDisk
  readonly datastore: Datastore
  readonly table: RunTable
  readonly journal: Pick<JournalFile, 'path' | 'committed'>
  readonly network: NetworkInterface
  readonly fence: Fence
}

/** A machine, as one process of its node has it: disk, processes and network of a simulation. */
export function simulatedPlatform(components: PlatformComponents): Platform {
  const { clock, datastore, table, journal, network, fence } = components
  const disk = fencedDisk(components.disk, fence)
  const { path } = journal
  return {
    machine: { read: async () => MACHINE },
    internet: { lookup: nowhere, open: nowhere },
    host: { transport: simulatedTransport(network), datastore: new FencedDatastore(datastore, fence) },
    disk,
    code: { zstd: synchronousZstd(), unpacker: simulatedUnpacker(disk) },
    async openFolder(dir) {
      await disk.mkdir(dir, { recursive: true })
      return { [Symbol.asyncDispose]: async () => {} }
    },
    openJournal: (init) =>
      openJournal({
        ...init,
        path,
        onCommit() {
          // one that has crashed writes into a journal that nobody reads
          if (fence.isDown) return
          journal.committed()
          fence.pass()
        },
      }),
    openUserIds: async () => undefined,
    async createExecutors(_components, { peerId, logs }) {
      // what runs writes its logs when the process that started it is gone, too
      const executor = createSimulatedExecutor(
        { clock, disk: components.disk },
        { nodeId: peerId, programs: standardPrograms, logs, table },
      )
      return { executors: [fencedExecutor(executor, fence)], pools: noPools, [Symbol.asyncDispose]: async () => {} }
    },
  }
}

export async function nowhere(): Promise<never> {
  throw new UnavailableError('a simulated machine has no other network than the mesh')
}

export const noPools: Pools = {
  list: async () => [],
  create: nowhere,
  remove: nowhere,
  listData: async () => [],
  removeData: nowhere,
}
