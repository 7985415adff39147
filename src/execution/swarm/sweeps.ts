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
  /** Removes the services of those that are done, now or soon. */
  finish(services: readonly SwarmService[]): Promise<void>
}

export function createSweeps(
  components: { clock: Clock; log: Log; manager: Manager; image: LauncherImage; architecture(): Promise<string> },
  { nodeId, signal }: { nodeId: string; signal: AbortSignal },
): Sweeps {
  const { clock, log, manager, image } = components
  const node = createHash('sha256').update(nodeId).digest('hex').slice(0, 8)
  /** by name */
  const followed = new Set<string>()

  async function run(machine: string): Promise<void> {
    const name = `thundercloud-sweep-${node}-${machine}`
    const [reference, architecture] = await Promise.all([image.inRegistry(), components.architecture()])
    await manager.sweep({ name, nodeId, machine, image: reference, architecture })
    await follow(name)
  }

  async function follow(name: string): Promise<void> {
    if (followed.has(name)) return
    followed.add(name)
    try {
      for (const until = clock.monotonic() + SWEEP_MS; clock.monotonic() < until; ) {
        await sleep(clock, LOOK_MS, { signal })
        const [service] = (await manager.services()).filter((one) => one.name === name)
        if (service === undefined || (await removeDone(service))) return
      }
    } finally {
      followed.delete(name)
    }
  }

  async function removeDone(service: SwarmService): Promise<boolean> {
    const task = await manager.taskOf(service)
    if (task === undefined || !isOver(task)) return false
    await manager.removeService(service)
    return true
  }

  function report(done: Promise<void>, about: Readonly<Record<string, string>>): void {
    done.catch((error: unknown) => {
      if (!signal.aborted) log.warn('a machine of the swarm could not be swept', { ...about, reason: messageOf(error) })
    })
  }

  return {
    async finish(services) {
      for (const service of services)
        if (service.role === 'sweep' && !(await removeDone(service)))
          report(follow(service.name), { service: service.name })
    },
    begin: (machine) => report(run(machine), { machine }),
  }
}
