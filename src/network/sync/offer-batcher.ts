import type { SyncItem } from '../../../protocols/streams/sync.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import { MAX_PENDING_OFFERS, OFFER_GAP_MS, SYNC_PEERS } from '../constants.ts'

/**
 * One peer's outgoing offers: the first goes at once, what comes soon after it goes together with the next.
 * Of one service only the newest depth is kept; beyond the bound the oldest are left to the next round of sync.
 */
export function createOfferBatcher(
  clock: Clock,
  send: (peer: string, items: readonly SyncItem[]) => Promise<void>,
  signal: AbortSignal,
) {
  const pending = new Map<string, Map<string, SyncItem>>()
  const running = new Map<string, Promise<void>>()

  const sentAt = new LruMap<string, number>(SYNC_PEERS)

  const run = async (peer: string) => {
    while (pending.has(peer) && !signal.aborted) {
      const early = (sentAt.get(peer) ?? Number.NEGATIVE_INFINITY) + OFFER_GAP_MS - clock.monotonic()
      if (early > 0) await sleep(clock, early, { signal })
      const items = [...(pending.get(peer)?.values() ?? [])]
      pending.delete(peer)
      sentAt.set(peer, clock.monotonic())
      await send(peer, items)
    }
  }
  return (peer: string, items: readonly SyncItem[]): Promise<void> => {
    const waiting = pending.get(peer) ?? new Map<string, SyncItem>()
    for (const item of items) waiting.set(item[0].toString(), item)
    for (const key of waiting.keys()) {
      if (waiting.size <= MAX_PENDING_OFFERS) break
      waiting.delete(key)
    }
    pending.set(peer, waiting)
    const busy = running.get(peer)
    if (busy !== undefined) return busy
    const work = run(peer).finally(() => {
      running.delete(peer)
      pending.delete(peer)
    })
    running.set(peer, work)
    return work
  }
}
