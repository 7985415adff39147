import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createBucket, createQueue } from '../base/queue.ts'

/**
 * After which times (ms) the mesh is asked again about what is parked. A word may come soon after its service, and where
 * no neighbour believes its hub it does not come by gossip; later it is asked about as everything else that matters here.
 */
const AGAIN_MS = [5_000, 30_000, 120_000]
/** A lookup is work for many peers, and announcements cost their author nothing: what is over waits for the regular look. */
const LOOKUPS = { burst: 64, perSecond: 0.5 }
const AT_ONCE = 4

export interface ParkedLookupsComponents {
  clock: Clock
  log: Log
  /** Asks the mesh, with `fresh` also what was asked just now; false where it is not parked any more. */
  ask(id: string, options: { signal: AbortSignal; fresh: boolean }): Promise<boolean>
}

/** Asks the mesh for words on what was parked: at once, and a few times more. */
export function createParkedLookups(
  { clock, log, ask }: ParkedLookupsComponents,
  { closing }: { closing: AbortSignal },
): { begin(id: string): void; idle(): Promise<void> } {
  const bucket = createBucket(LOOKUPS, () => clock.monotonic())
  const queue = createQueue({ name: 'lookups', concurrency: AT_ONCE, max: LOOKUPS.burst })

  async function look(id: string, times: number): Promise<void> {
    if (closing.aborted || !bucket.take()) return
    const again = await ask(id, { signal: closing, fresh: times > 0 })
    const waitMs = AGAIN_MS[times]
    if (again && waitMs !== undefined && !closing.aborted) clock.after(waitMs, () => begin(id, times + 1))
  }

  function begin(id: string, times: number): void {
    queue
      .add(() => look(id, times))
      .catch((error: unknown) => {
        if (!closing.aborted)
          log.debug('the mesh was not asked about a parked service', { id, reason: messageOf(error) })
      })
  }

  return { begin: (id) => begin(id, 0), idle: () => queue.idle() }
}
