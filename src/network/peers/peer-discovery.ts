import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import { backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { DISCOVERY_BACKOFF, LOW_WATER, PEER_DISCOVERY_INTERVAL_MS, SCORED_PEERS } from '../constants.ts'

export interface PeerDiscoveryComponents {
  clock: Clock
  rng: Rng
  log: Log
  connected(): ReadonlySet<string>
  /** Peers whose addresses are known. */
  known(): Promise<string[]>
  /** Looks for more peers; what it finds becomes known. */
  discover(): Promise<void>
  dial(peer: string): Promise<void>
}

/**
 * Below the low-water mark: dials peers that are known from before, and asks the DHT for more. A peer that cannot be
 * dialled is left alone, longer each time.
 */
export function startPeerDiscovery(
  { clock, rng, log, connected, known, discover, dial }: PeerDiscoveryComponents,
  { lowWater = LOW_WATER, everyMs = PEER_DISCOVERY_INTERVAL_MS }: { lowWater?: number; everyMs?: number },
): Timer & { look(): Promise<void> } {
  const failed = new LruMap<string, { count: number; until: number }>(SCORED_PEERS)
  let looking: Promise<void> | undefined

  const attempt = async (peer: string) => {
    try {
      await dial(peer)
      failed.delete(peer)
    } catch (error) {
      const count = failed.get(peer)?.count ?? 0
      failed.set(peer, { count: count + 1, until: clock.monotonic() + backoffMs(count, DISCOVERY_BACKOFF, rng) })
      log.debug('a known peer cannot be reached', { peer, error: messageOf(error) })
    }
  }
  const candidates = async () => {
    const here = connected()
    const now = clock.monotonic()
    const free = (await known()).filter((peer) => !here.has(peer) && (failed.get(peer)?.until ?? 0) <= now)
    for (let index = free.length - 1; index > 0; index--) {
      const other = rng.int(index + 1)
      const [a, b] = [free[index] as string, free[other] as string]
      free[index] = b
      free[other] = a
    }
    return free
  }
  const look = async () => {
    const missing = () => lowWater - connected().size
    if (missing() <= 0) return
    let free = await candidates()
    if (free.length < missing() && connected().size > 0) {
      await discover().catch((error: unknown) => log.debug('the DHT had no peers', { error: messageOf(error) }))
      free = await candidates()
    }
    await Promise.all(free.slice(0, Math.max(0, missing())).map(attempt))
  }
  const start = () => {
    looking ??= look()
      .catch((error: unknown) => log.debug('looking for peers failed', { error: messageOf(error) }))
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const timer = clock.every(everyMs * (0.75 + rng.fraction() / 2), () => void start())
  return { ...timer, look: start }
}
