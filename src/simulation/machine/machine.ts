import { MemoryDatastore } from 'datastore-core'
import type { Clock } from '../../base/clock.ts'
import { createNetworkInterface } from '../network/interface.ts'
import type { Wire } from '../network/types.ts'
import { type Crash, createCrashPoints } from './crash-points.ts'
import type { RunTable } from './executor.ts'
import { createFence } from './fence.ts'
import { createJournalFile } from './journal-file.ts'
import { createMemoryDisk } from './memory-disk.ts'
import { type Platform, simulatedPlatform } from './platform.ts'

/** What a node runs on: it stays when the node is gone, with disk, journal and what runs. */
export interface Machine extends Disposable {
  /** How many crash points its processes have passed. */
  readonly crashPoints: number
  /** A new process of the node. There is one at a time. `onCrash` is called where it ends at a crash point. */
  begin(onCrash?: (crash: Crash) => void): MachineProcess
}

/** What one process of a node has of its machine. */
export interface MachineProcess {
  readonly platform: Platform
  /** It is killed: from now on it changes nothing on the machine, and reaches nobody. What runs goes on. */
  crash(): void
}

type MachineInit = { readonly host: string; readonly crashes?: readonly Crash[] | undefined }

export function createMachine(
  { clock, wire }: { clock: Clock; wire: Wire },
  { host, crashes = [] }: MachineInit,
): Machine {
  const disk = createMemoryDisk({ clock })
  const datastore = new MemoryDatastore()
  const table: RunTable = new Map()
  const journal = createJournalFile(host)
  const points = createCrashPoints(crashes)
  return {
    get crashPoints() {
      return points.count
    },
    begin(onCrash = () => {}) {
      const crash = () => {
        if (fence.isDown) return
        fence.down()
        network.down()
        journal.detach()
      }
      const fence = createFence({
        points,
        crash(which) {
          crash()
          onCrash(which)
        },
      })
      const network = createNetworkInterface(wire, host, fence)
      return {
        platform: simulatedPlatform({ clock, disk, datastore, table, journal, network, fence }),
        crash,
      }
    },
    [Symbol.dispose]: () => journal.close(),
  }
}
