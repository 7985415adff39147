import { BoundedMap, createBucket } from '../../base/queue.ts'
import { SYNC_PEERS, SYNC_REQUESTS } from '../constants.ts'

/** What one peer may ask of sync, and have sent: a bucket each, for the peers heard of last. */
export function createQuotas(monotonicMs: () => number, pullsPerMinute: number) {
  const buckets = () => ({
    requests: createBucket(SYNC_REQUESTS, monotonicMs),
    pulls: createBucket({ burst: pullsPerMinute, perSecond: pullsPerMinute / 60 }, monotonicMs),
    offers: createBucket({ burst: pullsPerMinute, perSecond: pullsPerMinute / 60 }, monotonicMs),
  })
  const peers = new BoundedMap<string, ReturnType<typeof buckets>>(SYNC_PEERS)
  return (peer: string) => {
    const known = peers.get(peer)
    if (known !== undefined) return known
    const fresh = buckets()
    peers.set(peer, fresh)
    return fresh
  }
}

export type Quotas = ReturnType<typeof createQuotas>
