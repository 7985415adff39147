import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import { LruMap } from '../base/lru-map.ts'
import type { ClaimMesh } from './types.ts'

/** An answer about a claim counts for so long for whoever asks again; a peer has its claim asked for no more often. */
const ANSWER_COUNTS_MS = 5_000
const ASK_MS = 3_000
const MAX_ANSWERS = 1_024

/**
 * Does a peer claim a run of this service? It is asked now: a claim is what it answers. So who asks for a port costs this
 * node one request to that very peer, every few seconds at most.
 */
export function createClaimCheck(
  { clock }: { clock: Clock },
  mesh: Pick<ClaimMesh, 'ask' | 'misbehaves'>,
): (service: string, peer: string) => Promise<boolean> {
  const answers = new LruMap<string, { readonly at: number; readonly claims: Promise<boolean> }>(MAX_ANSWERS)

  async function claims(service: string, peer: string): Promise<boolean> {
    using limit = deadline(clock, ASK_MS, new TimeoutError('the peer did not answer in time'))
    const claim = await mesh.ask(peer, service, { signal: limit.signal }).catch(() => undefined)
    return claim?.state === 'running' || claim?.state === 'accepted'
  }

  return async (service, peer) => {
    const key = `${service} ${peer}`
    const before = answers.get(key)
    const isFresh = before !== undefined && clock.monotonic() - before.at < ANSWER_COUNTS_MS
    const answer = isFresh ? before : { at: clock.monotonic(), claims: claims(service, peer) }
    if (!isFresh) answers.set(key, answer)
    return (await answer.claims) && !mesh.misbehaves(peer)
  }
}
