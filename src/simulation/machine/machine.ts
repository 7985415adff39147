import { MemoryDatastore } from 'datastore-core'
import type { Clock } from '../../base/clock.ts'
import { seededRng } from '../../base/rng.ts'
import { createNetworkInterface } from '../network/interface.ts'
import type { Wire } from '../network/types.ts'
import { type Crash, createCrashPoints } from './crash-points.ts'
import type { RunTable } from './executor.ts'
import { createFence, type Fence } from './fence.ts'
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

type MachineInit = {
  readonly host: string
  readonly crashes?: readonly Crash[] | undefined
  /** what a power cut leaves on the disk follows from it */
  readonly seed?: string | undefined
}

export function createMachine(
  { clock, wire }: { clock: Clock; wire: Wire },
  { host, crashes = [], seed = '' }: MachineInit,
): Machine {
  let disk = createMemoryDisk({ clock })
  let datastore = new MemoryDatastore()
  const table: RunTable = new Map()
  const journal = createJournalFile({ name: host, loses: crashes.some(({ powerCut }) => powerCut) })
  const points = createCrashPoints(crashes)
  const rng = seededRng(`${seed}/${host}/power-cuts`)
  let last: Fence | undefined

  function cutPower(): void {
    // what ran goes on in memory, on the disk that was
    for (const { run } of table.values()) run.terminate(0, 'stopped')
    table.clear()
    disk = disk.afterPowerCut(rng)
    datastore = new MemoryDatastore()
    journal.powerCut()
  }

  return {
    get crashPoints() {
      return points.count
    },
    begin(onCrash = () => {}) {
      const crash = (powerCut = false) => {
        if (fence.isDown) return
        fence.down()
        network.down()
        if (powerCut) cutPower()
        else journal.detach()
      }
      if (last?.isDown === false) journal.closed()
      const fence = createFence({
        points,
        crash(which) {
          crash(which.powerCut)
          onCrash(which)
        },
      })
      last = fence
      const network = createNetworkInterface(wire, host, fence)
      return {
        platform: simulatedPlatform({ clock, disk, datastore, table, journal, network, fence }),
        crash,
      }
    },
    [Symbol.dispose]: () => journal.close(),
  }
}
