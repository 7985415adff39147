import { type Clock, sleep } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { NoCapacityError } from '../errors.ts'
import { isOver, type Manager, type SwarmService } from './manager.ts'
import type { SwarmTask } from './types.ts'

const LOOK_MS = 100
/** For a machine with room: so long a task may be nowhere. */
const PLACE_MS = 15_000
/** The first launcher of a machine waits for its image, from a registry that is slow. */
const PREPARE_MS = 10 * 60_000

type Placed = SwarmTask & { readonly machine: string; readonly container: string }

/** Resolves when a launcher runs. Throws a NoCapacityError where no machine has room, and an UnavailableError where it cannot begin. */
export async function untilPlaced(
  { clock, manager }: { clock: Clock; manager: Pick<Manager, 'taskOf'> },
  service: SwarmService,
  { signal, note }: { signal: AbortSignal | undefined; note: string },
): Promise<Placed> {
  const began = clock.monotonic()
  for (;;) {
    signal?.throwIfAborted()
    const task = await manager.taskOf(service)
    if (task?.state === 'running' && task.machine !== undefined && task.container !== undefined) return task as Placed
    if (task !== undefined && isOver(task))
      throw new UnavailableError(`the swarm does not start the launcher of the run: ${task.reason || task.state}`)
    const waited = clock.monotonic() - began
    if (task?.machine === undefined && waited > PLACE_MS)
      throw new NoCapacityError(`no machine of the swarm takes the run: ${task?.reason || 'it is not placed'}${note}`)
    if (waited > PREPARE_MS)
      throw new UnavailableError('the machine of the swarm does not get the launcher ready in time')
    await sleep(clock, LOOK_MS, { signal })
  }
}
