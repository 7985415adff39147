import type { TopicScoreParams } from '@libp2p/gossipsub/score'
import { expect, test } from 'vitest'
import { createPeerScores } from '../../../src/network/gossip/peer-scores.ts'
import { gossipScoreParams, THRESHOLDS } from '../../../src/network/gossip/score-params.ts'

const TOPICS = ['services', 'statements']
const SILENT = { reward: () => {}, penalize: () => {}, score: () => 0 }
const topicOf = (name: string) => gossipScoreParams(TOPICS, 'public', SILENT).topics[name] as TopicScoreParams

/** gossipsub's P4 after rejects at these seconds, seen at `at`: a counter that decays each second, squared. */
function invalid(topic: TopicScoreParams, seconds: number[], at: number): number {
  const decayed = seconds.filter((one) => one <= at).map((one) => topic.invalidMessageDeliveriesDecay ** (at - one))
  const counter = decayed.reduce((sum, one) => sum + one, 0)
  return topic.topicWeight * topic.invalidMessageDeliveriesWeight * counter ** 2
}

/** Scores in which a peer has earned all that it can. */
function rewarded(now: () => number) {
  const scoreTable = createPeerScores(now)
  for (let index = 0; index < 1000; index++) scoreTable.reward('peer')
  return scoreTable
}

const maxTimeInMesh = TOPICS.reduce((sum, name) => {
  const { topicWeight, timeInMeshWeight, timeInMeshCap } = topicOf(name)
  return sum + topicWeight * timeInMeshWeight * timeInMeshCap
}, 0)

test('both topics are scored: the same, without P3, and time in mesh is worth at most 1 in all', () => {
  const withoutP3 = { meshMessageDeliveriesWeight: 0, meshFailurePenaltyWeight: 0 }
  for (const name of TOPICS) expect(topicOf(name)).toMatchObject(withoutP3)
  expect(maxTimeInMesh).toBeLessThanOrEqual(1)
})

test.each(TOPICS)('ten rejects in a minute on %s reach the graylist by P4, whatever a peer has earned', (name) => {
  const most = maxTimeInMesh + rewarded(() => 0).score('peer')
  expect(most).toBeLessThanOrEqual(11)
  const spread = Array.from({ length: 10 }, (_, index) => index * 6)
  expect(most + invalid(topicOf(name), spread, 54)).toBeLessThan(THRESHOLDS.graylistThreshold)
  // one reject does not
  expect(invalid(topicOf(name), [0], 0)).toBeGreaterThan(THRESHOLDS.gossipThreshold)
})

test('ten lies in a minute reach the graylist by the peer scores alone, which outlives reconnects, and fade', () => {
  let now = 0
  const scoreTable = rewarded(() => now)
  for (let index = 0; index < 10; index++) {
    scoreTable.penalize('peer')
    now += 6000
  }
  expect(scoreTable.score('peer') + maxTimeInMesh).toBeLessThan(THRESHOLDS.graylistThreshold)
  now += 60 * 60 * 1000
  expect(scoreTable.score('peer')).toBeGreaterThan(THRESHOLDS.gossipThreshold)
  expect(scoreTable.score('stranger')).toBe(0)
})

test('many nodes behind one address are an offence on public networks only', () => {
  expect(gossipScoreParams(TOPICS, 'private', SILENT).IPColocationFactorWeight).toBe(0)
  expect(gossipScoreParams(TOPICS, 'public', SILENT).IPColocationFactorWeight).toBeLessThan(0)
})
