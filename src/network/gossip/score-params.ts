import type { TopicScoreParams } from '@libp2p/gossipsub/score'

/** What is left of the count of invalid messages after a second. */
export const INVALID_DECAY = 0.99
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
  // the validator ignores most first arrivals, so gossipsub's own count says little: peer-scores counts valid news
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
  invalidMessageDeliveriesDecay: INVALID_DECAY,
}

export const THRESHOLDS = {
  gossipThreshold: -10,
  publishThreshold: -50,
  graylistThreshold: -80,
  acceptPXThreshold: 100,
  opportunisticGraftThreshold: 1,
}

export function gossipScoreParams(
  topics: readonly string[],
  visibility: 'public' | 'private',
  peerScores: { score(peer: string): number },
) {
  return {
    topics: Object.fromEntries(topics.map((topic) => [topic, { ...TOPIC }])),
    topicScoreCap: 1,
    appSpecificWeight: 1,
    appSpecificScore: (peer: string) => peerScores.score(peer),
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
