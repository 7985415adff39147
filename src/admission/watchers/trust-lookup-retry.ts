import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { createWorkQueue } from '../../base/work-queue.ts'

/**
 * After which times (ms) the mesh is asked again. A statement may come soon after its service, and where no neighbour
 * believes its hub it does not come by gossip; and a mesh that could not be asked a moment ago often can be now. Later it
 * is asked about as everything else that matters here.
 */
const AGAIN_MS = [5_000, 30_000, 120_000]
/** A lookup is work for many peers, and announcements cost their author nothing: what is over waits for the regular look. */
const LOOKUPS = { burst: 64, perSecond: 0.5 }
const AT_ONCE = 4

export interface TrustLookupComponents {
  clock: Clock
  log: Log
  /** Asks the mesh, with `fresh` also what was asked just now; false where there is no more to ask. */
  ask(id: string, options: { signal: AbortSignal; fresh: boolean }): Promise<boolean>
}

/** Asks the mesh for statements about a service: at once, and a few times more. */
export function createTrustLookups(
  { clock, log, ask }: TrustLookupComponents,
  { closing }: { closing: AbortSignal },
): { begin(id: string): void; idle(): Promise<void> } {
  const bucket = createTokenBucket(LOOKUPS, () => clock.monotonic())
  const queue = createWorkQueue({ name: 'lookups', concurrency: AT_ONCE, max: LOOKUPS.burst })
  const under = new Set<string>()

  /** Whether it is to be asked about once more. */
  async function look(id: string, times: number): Promise<boolean> {
    if (closing.aborted || !bucket.take()) return false
    return (await ask(id, { signal: closing, fresh: times > 0 })) && !closing.aborted
  }

  async function turn(id: string, times: number): Promise<void> {
    let again = false
    try {
      again = await queue.add(() => look(id, times))
    } catch (error) {
      if (!closing.aborted) log.debug('the mesh was not asked about a service', { id, reason: messageOf(error) })
    }
    const waitMs = again ? AGAIN_MS[times] : undefined
    if (waitMs === undefined) under.delete(id)
    else clock.after(waitMs, () => void turn(id, times + 1))
  }

  return {
    begin(id) {
      if (under.has(id)) return
      under.add(id)
      void turn(id, 0)
    },
    idle: () => queue.idle(),
  }
}
