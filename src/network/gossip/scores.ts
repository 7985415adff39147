import type { TopicScoreParams } from '@libp2p/gossipsub/score'
import { LruMap } from '../../base/lru-map.ts'
import { LEDGER_HALF_LIFE_MS, LEDGER_PEERS } from '../constants.ts'
import type { Conduct } from '../types.ts'

export const TOPIC_PENALTY = { invalidWeight: -2, behaviourWeight: -5, behaviourThreshold: 6 }

/**
 * Scores. What a peer can gain is at most +11: +1 for time in mesh (half for each topic) and +10 for having been first
 * with valid news. What ten rejects in a minute cost is more than 91, so they reach the graylist whatever was gained.
 * There is no P3: a neighbour whose copies come late or are ignored has done nothing wrong.
 */
const TOPIC: TopicScoreParams = {
  topicWeight: 1,
  timeInMeshWeight: 0.5,
  timeInMeshQuantum: 10 * 60 * 1000,
  timeInMeshCap: 1,
  // the gate ignores most first arrivals, so gossipsub's own count says little: the ledger counts valid news
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.9,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 0,
  meshMessageDeliveriesActivation: 60 * 1000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.9,
  // a tenth reject, six seconds after the ninth, meets a counter of 7.7: 2 * 7.7 ** 2 = 119
  invalidMessageDeliveriesWeight: TOPIC_PENALTY.invalidWeight,
  invalidMessageDeliveriesDecay: 0.99,
}

export const THRESHOLDS = {
  gossipThreshold: -10,
  publishThreshold: -50,
  graylistThreshold: -80,
  acceptPXThreshold: 100,
  opportunisticGraftThreshold: 1,
}

export function scoreParams(
  topics: readonly string[],
  visibility: 'public' | 'private',
  ledger: Pick<Ledger, 'score'>,
) {
  return {
    topics: Object.fromEntries(topics.map((topic) => [topic, { ...TOPIC }])),
    topicScoreCap: 1,
    appSpecificWeight: 1,
    appSpecificScore: (peer: string) => ledger.score(peer),
    // many nodes on one machine, behind one NAT or on one bridge are normal on a private network
    IPColocationFactorWeight: visibility === 'private' ? 0 : -5,
    IPColocationFactorThreshold: 10,
    // a busy event loop breaks a few IWANT promises; only a habit is an offence
    behaviourPenaltyWeight: TOPIC_PENALTY.behaviourWeight,
    behaviourPenaltyThreshold: TOPIC_PENALTY.behaviourThreshold,
    behaviourPenaltyDecay: 0.9,
    decayInterval: 1000,
    decayToZero: 0.01,
    retainScore: 60 * 60 * 1000,
  }
}

const CREDIT_EACH = 0.5
const CREDIT_MAX = 10
/** Ten lies in a minute, each decayed until the last: 9.6 * 10 outweighs all that can be gained, and the graylist. */
const LIE_EACH = 10
const LIE_MAX = 200
/** Two more, and the peer is below the graylist again. */
const LIES_ON_PAROLE = -THRESHOLDS.graylistThreshold / LIE_EACH - 2

/**
 * Conduct per peer. gossipsub forgets a peer's penalties when it reconnects; this does not. Both sides fade with time,
 * so an honest node that was once misled comes back.
 */
export interface Ledger extends Conduct {
  score(peer: string): number
  /** The peer has paid: what is left is one lie less than what excludes it. */
  parole(peer: string): void
}

export function createLedger(now: () => number): Ledger {
  const entries = new LruMap<string, { credits: number; lies: number; at: number }>(LEDGER_PEERS)
  const faded = (peer: string) => {
    const entry = entries.get(peer)
    if (entry === undefined) return { credits: 0, lies: 0, at: now() }
    const factor = 2 ** (-(now() - entry.at) / LEDGER_HALF_LIFE_MS)
    return { credits: entry.credits * factor, lies: entry.lies * factor, at: now() }
  }
  return {
    credit(peer) {
      const entry = faded(peer)
      entries.set(peer, { ...entry, credits: Math.min(entry.credits + 1, CREDIT_MAX / CREDIT_EACH) })
    },
    lie(peer) {
      const entry = faded(peer)
      entries.set(peer, { ...entry, lies: Math.min(entry.lies + 1, LIE_MAX / LIE_EACH) })
    },
    parole(peer) {
      const { lies, at } = faded(peer)
      entries.set(peer, { credits: 0, lies: Math.min(lies, LIES_ON_PAROLE), at })
    },
    score(peer) {
      const { credits, lies } = faded(peer)
      return credits * CREDIT_EACH - lies * LIE_EACH
    },
  }
}
