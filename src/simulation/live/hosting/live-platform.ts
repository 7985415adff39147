import type { Clock } from '../../../base/clock.ts'
import { systemDisk } from '../../../base/os/disk.ts'
import type { NodeComponents } from '../../../node/index.ts'
import { createSimulatedExecutor } from '../../machine/executor.ts'
import { noPools, nowhere } from '../../machine/platform.ts'
import { standardPrograms } from '../../machine/program.ts'
import { MACHINE } from '../../machine/resources.ts'
import { simulatedUnpacker } from '../../machine/unpacker.ts'
import type { GossipTap } from '../../whole/gossip-tap.ts'

/**
 * The machine itself: its disk, its network, its time. Only what runs is a function in the process of its node, so that many
 * nodes of one machine do not compete with what they run.
 */
export function livePlatform(
  clock: Clock,
  { metrics }: Pick<GossipTap, 'metrics'>,
): NonNullable<NodeComponents['platform']> {
  const disk = systemDisk()
  return {
    machine: { read: async () => MACHINE },
    host: { metrics },
    internet: { lookup: nowhere, open: nowhere },
    code: { unpacker: simulatedUnpacker(disk) },
    openUserIds: async () => undefined,
    createExecutors: async (_components, { peerId, logs }) => ({
      executors: [
        createSimulatedExecutor(
          { clock, disk },
          { nodeId: peerId, programs: standardPrograms, logs, table: new Map() },
        ),
      ],
      pools: noPools,
      [Symbol.asyncDispose]: async () => {},
    }),
  }
}
