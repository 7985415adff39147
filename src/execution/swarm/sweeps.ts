import { createHash } from 'node:crypto'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { LauncherImage } from './launcher-image.ts'
import { isOver, type Manager, type SwarmService } from './manager.ts'

const LOOK_MS = 500
/** One that takes longer is for a machine that is away; it happens when that is back. */
const SWEEP_MS = 60_000

/** Removes what killed launchers left on their machines, without waiting for the next run there. */
export type Sweeps = {
  begin(machine: string): void
  /** Removes the services of those that are done. */
  finish(services: readonly SwarmService[]): Promise<void>
}

export function createSweeps(
  components: { clock: Clock; log: Log; manager: Manager; image: LauncherImage; architecture(): Promise<string> },
  { nodeId, signal }: { nodeId: string; signal: AbortSignal },
): Sweeps {
  const { clock, log, manager, image } = components
  const node = createHash('sha256').update(nodeId).digest('hex').slice(0, 8)

  async function run(machine: string): Promise<void> {
    const name = `thundercloud-sweep-${node}-${machine}`
    const [reference, architecture] = await Promise.all([image.inRegistry(), components.architecture()])
    await manager.sweep({ name, nodeId, machine, image: reference, architecture })
    for (const until = clock.monotonic() + SWEEP_MS; clock.monotonic() < until; ) {
      await sleep(clock, LOOK_MS, { signal })
      const mine = (await manager.services()).filter((service) => service.name === name)
      if (mine.length === 0) return
      await finish(mine)
    }
  }

  async function finish(services: readonly SwarmService[]): Promise<void> {
    for (const service of services) {
      if (service.role !== 'sweep') continue
      const task = await manager.taskOf(service)
      if (task !== undefined && isOver(task)) await manager.removeService(service)
    }
  }

  return {
    finish,
    begin(machine) {
      run(machine).catch((error: unknown) => {
        if (!signal.aborted)
          log.warn('a machine of the swarm could not be swept', { machine, reason: messageOf(error) })
      })
    },
  }
}
