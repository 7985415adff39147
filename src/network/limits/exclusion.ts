import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import { EXCLUSION, SCORED_PEERS } from '../constants.ts'
import type { NetworkEvents } from '../events.ts'
import type { PeerScoreTable } from '../gossip/peer-scores.ts'
import { THRESHOLDS } from '../gossip/score-params.ts'

export interface ExclusionComponents {
  clock: Pick<Clock, 'monotonic'>
  log: Log
  events: Emitter<NetworkEvents>
  scoreTable: PeerScoreTable
  /** The operator named it. */
  isStatic(peer: string): boolean
  /** Ends its connections at once. */
  disconnect(peer: string): void
}

/** Peers that misbehaved too often: disconnected, and refused for a time that grows with each time that it happens. */
export interface Exclusion {
  /** ms for which connections with the peer are still refused */
  leftMs(peer: string): number
  /** Looks whether the peer is over the bound now. `score`: what gossip holds against it, where that is known. */
  checkScore(peer: string, score?: number): void
}

/**
 * A peer is excluded when its conduct is below the graylist, where gossip would ignore it anyway. It comes back on
 * probation: two more penalties, and it is out for twice as long. A static node comes back after the shortest time however
 * often it happens, because its operator named it and may have no other way into the mesh.
 */
export function createExclusion({
  clock,
  log,
  events,
  scoreTable,
  isStatic,
  disconnect,
}: ExclusionComponents): Exclusion {
  const excluded = new LruMap<string, { times: number; until: number }>(SCORED_PEERS)

  const leftMs = (peer: string) => Math.max(0, (excluded.get(peer)?.until ?? 0) - clock.monotonic())
  const exclude = (peer: string, score: number) => {
    const now = clock.monotonic()
    const before = excluded.get(peer)
    const times = before === undefined || now - before.until > EXCLUSION.forgetMs ? 0 : before.times
    const forMs = isStatic(peer) ? EXCLUSION.firstMs : Math.min(EXCLUSION.firstMs * 2 ** times, EXCLUSION.maxMs)
    excluded.set(peer, { times: times + 1, until: now + forMs })
    scoreTable.startProbation(peer)
    const detail = { peer, score: Math.round(score), seconds: Math.round(forMs / 1000) }
    if (isStatic(peer)) log.warn('a static node sends forged or malformed data; it is not dialled for a while', detail)
    else log.info('a peer that sends forged or malformed data is disconnected and refused', detail)
    events.emit('network:excluded', { peer, score, forMs })
    disconnect(peer)
  }

  return {
    leftMs,
    checkScore(peer, score = 0) {
      if (leftMs(peer) > 0) return
      const worst = Math.min(score, scoreTable.score(peer))
      if (worst < THRESHOLDS.graylistThreshold) exclude(peer, worst)
    },
  }
}
