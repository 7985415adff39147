import { MemoryDatastore } from 'datastore-core'
import type { Clock } from '../../base/clock.ts'
import { createNetworkInterface } from '../network/interface.ts'
import type { Wire } from '../network/types.ts'
import type { RunTable } from './executor.ts'
import { createFence } from './fence.ts'
import { createJournalFile } from './journal-file.ts'
import { createMemoryDisk } from './memory-disk.ts'
import { type Platform, simulatedPlatform } from './platform.ts'

/** What a node runs on: it stays when the node is gone, with disk, journal and what runs. */
export interface Machine extends Disposable {
  /** A new process of the node. There is one at a time. */
  begin(): MachineProcess
}

/** What one process of a node has of its machine. */
export interface MachineProcess {
  readonly platform: Platform
  /** It is killed: from now on it changes nothing on the machine, and reaches nobody. What runs goes on. */
  crash(): void
}

export function createMachine({ clock, wire }: { clock: Clock; wire: Wire }, { host }: { host: string }): Machine {
  const disk = createMemoryDisk({ clock })
  const datastore = new MemoryDatastore()
  const table: RunTable = new Map()
  const journal = createJournalFile(host)
  return {
    begin() {
      const fence = createFence()
      const network = createNetworkInterface(wire, host)
      return {
        platform: simulatedPlatform({ clock, disk, datastore, table, journal, network, fence }),
        crash() {
          fence.down()
          network.down()
          journal.detach()
        },
      }
    },
    [Symbol.dispose]: () => journal.close(),
  }
}
