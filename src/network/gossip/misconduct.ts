import type { Clock, Timer } from '../../base/clock.ts'
import { SCORE_CHECK_MS } from '../constants.ts'
import { THRESHOLDS, TOPIC_PENALTY } from './score-params.ts'

/** What gossipsub holds against a peer. */
export type PeerStats = {
  readonly behaviourPenalty: number
  readonly topics: Readonly<Record<string, { readonly invalidMessageDeliveries: number }>>
}
/** What gossipsub has and does not declare. */
type Scored = { dumpPeerScoreStats(): Readonly<Record<string, PeerStats>> }

export interface MisconductComponents {
  clock: Clock
  pubsub: { getScore(peer: string): number }
  peers(): readonly string[]
  onLowScore(peer: string, score: number): void
}

/**
 * Reports peers whose penalties in gossipsub are below the graylist. The total score does not show that: it also counts how
 * many peers share an address, which is no offence of any of them.
 */
export function watchMisconduct({ clock, pubsub, peers, onLowScore }: MisconductComponents): Timer {
  return clock.every(SCORE_CHECK_MS, () => {
    const low = peers().filter((peer) => pubsub.getScore(peer) < THRESHOLDS.graylistThreshold)
    if (low.length === 0) return
    const stats = (pubsub as unknown as Scored).dumpPeerScoreStats()
    for (const peer of low) {
      const own = stats[peer]
      if (own !== undefined) onLowScore(peer, penaltyOf(own))
    }
  })
}

export function penaltyOf({ behaviourPenalty, topics }: PeerStats): number {
  const { invalidWeight, behaviourWeight, behaviourThreshold } = TOPIC_PENALTY
  const excess = Math.max(0, behaviourPenalty - behaviourThreshold)
  return Object.values(topics).reduce(
    (sum, { invalidMessageDeliveries }) => sum + invalidWeight * invalidMessageDeliveries ** 2,
    behaviourWeight * excess ** 2,
  )
}
