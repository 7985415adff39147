import { LruMap } from '../../base/lru-map.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { SYNC_PAGES, SYNC_PEERS, SYNC_REQUESTS } from '../constants.ts'

/** What one peer may ask of sync, and have sent: a bucket each, for the most recent peers. */
export function createSyncRateLimits(monotonicMs: () => number, pullsPerMinute: number) {
  const aMinutesWorth = () => createTokenBucket({ burst: pullsPerMinute, perSecond: pullsPerMinute / 60 }, monotonicMs)
  const buckets = () => ({
    requests: createTokenBucket(SYNC_REQUESTS, monotonicMs),
    // an honest round lists some tens of pages
    pages: createTokenBucket(SYNC_PAGES, monotonicMs),
    pulls: aMinutesWorth(),
    offers: aMinutesWorth(),
    // apart: a peer that has pulled services to the limit may still get statements of unsafe code
    statements: aMinutesWorth(),
  })
  const peers = new LruMap<string, ReturnType<typeof buckets>>(SYNC_PEERS)
  return (peer: string) => {
    const known = peers.get(peer)
    if (known !== undefined) return known
    const fresh = buckets()
    peers.set(peer, fresh)
    return fresh
  }
}

export type SyncRateLimits = ReturnType<typeof createSyncRateLimits>
