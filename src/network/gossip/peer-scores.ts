import { LruMap } from '../../base/lru-map.ts'
import { SCORE_HALF_LIFE_MS, SCORED_PEERS } from '../constants.ts'
import type { PeerScores } from '../types.ts'
import { THRESHOLDS } from './score-params.ts'

const REWARD_EACH = 0.5
const REWARD_MAX = 10
/** Ten penalties in a minute, each decayed until the last: 9.6 * 10 outweighs all that can be gained, and the graylist. */
const PENALTY_EACH = 10
const PENALTY_MAX = 200
/** Two more, and the peer is below the graylist again. */
const PENALTIES_ON_PROBATION = -THRESHOLDS.graylistThreshold / PENALTY_EACH - 2

/**
 * Scores per peer. gossipsub forgets a peer's penalties when it reconnects; this does not. Both sides fade with time,
 * so an honest node that was once misled recovers.
 */
export interface PeerScoreTable extends PeerScores {
  score(peer: string): number
  /** The peer has paid: what is left is one penalty less than what excludes it. */
  startProbation(peer: string): void
}

export function createPeerScores(now: () => number): PeerScoreTable {
  const entries = new LruMap<string, { rewards: number; penalties: number; at: number }>(SCORED_PEERS)
  const decayed = (peer: string) => {
    const entry = entries.get(peer)
    if (entry === undefined) return { rewards: 0, penalties: 0, at: now() }
    const factor = 2 ** (-(now() - entry.at) / SCORE_HALF_LIFE_MS)
    return { rewards: entry.rewards * factor, penalties: entry.penalties * factor, at: now() }
  }
  return {
    reward(peer) {
      const entry = decayed(peer)
      entries.set(peer, { ...entry, rewards: Math.min(entry.rewards + 1, REWARD_MAX / REWARD_EACH) })
    },
    penalize(peer) {
      const entry = decayed(peer)
      entries.set(peer, { ...entry, penalties: Math.min(entry.penalties + 1, PENALTY_MAX / PENALTY_EACH) })
    },
    startProbation(peer) {
      const { penalties, at } = decayed(peer)
      entries.set(peer, { rewards: 0, penalties: Math.min(penalties, PENALTIES_ON_PROBATION), at })
    },
    score(peer) {
      const { rewards, penalties } = decayed(peer)
      return rewards * REWARD_EACH - penalties * PENALTY_EACH
    },
  }
}
