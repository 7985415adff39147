import { createEvents } from '../../base/events.ts'
import { silentLog } from '../../base/log.ts'
import { penaltyOf } from '../../network/gossip/misconduct.ts'
import { createPeerScores, type PeerScoreTable } from '../../network/gossip/peer-scores.ts'
import { INVALID_DECAY } from '../../network/gossip/score-params.ts'
import type { NetworkEvents } from '../../network/index.ts'
import { createExclusion, type Exclusion } from '../../network/limits/exclusion.ts'
import { msOf, type World } from './world.ts'

/** What nodes hold against their neighbours: the tables and the bounds of src/network decide. `link` is one of the node's own. */
export interface Scoring {
  /** A message that came over this link was refused. Answers for how many ms its sender is excluded because of it; 0 = it is not. */
  reject(node: number, link: number): number
  /** ms for which the node still refuses the neighbour */
  leftMs(node: number, link: number): number
}

/** Of one node. */
type Opinions = {
  readonly scores: PeerScoreTable
  readonly exclusion: Exclusion
  /** gossipsub's count of invalid messages, by peer, and of which second it is */
  readonly invalid: Map<string, { count: number; second: number }>
}

const NEVER: Scoring = { reject: () => 0, leftMs: () => 0 }

export function createScoring(world: World): Scoring {
  const { plan, graph } = world
  if (!plan.scenario.scoring) return NEVER
  const byNode = new Map<number, Opinions>()
  const now = () => msOf(world)
  const peerAt = (link: number) => String(graph.neighbours[link])

  function opinionsOf(node: number): Opinions {
    const known = byNode.get(node)
    if (known !== undefined) return known
    const scoreTable = createPeerScores(now)
    const exclusion = createExclusion({
      clock: { monotonic: now },
      log: silentLog(),
      events: createEvents<NetworkEvents>(() => {}),
      scoreTable,
      // whoever attacks is a neighbour that no operator named
      isStatic: () => false,
      disconnect: () => {},
    })
    const opinions = { scores: scoreTable, exclusion, invalid: new Map() }
    byNode.set(node, opinions)
    return opinions
  }

  function count({ invalid }: Opinions, peer: string): number {
    const second = now() / 1000
    const before = invalid.get(peer) ?? { count: 0, second }
    const counted = before.count * INVALID_DECAY ** (second - before.second) + 1
    invalid.set(peer, { count: counted, second })
    return counted
  }

  return {
    reject(node, link) {
      const opinions = opinionsOf(node)
      const peer = peerAt(link)
      const invalidMessageDeliveries = count(opinions, peer)
      opinions.scores.penalize(peer)
      const before = opinions.exclusion.leftMs(peer)
      if (before > 0) return 0
      opinions.exclusion.checkScore(
        peer,
        penaltyOf({ behaviourPenalty: 0, topics: { services: { invalidMessageDeliveries } } }),
      )
      const forMs = opinions.exclusion.leftMs(peer)
      // its connection is gone, and gossipsub's count with it
      if (forMs > 0) opinions.invalid.delete(peer)
      return forMs
    },
    leftMs: (node, link) => byNode.get(node)?.exclusion.leftMs(peerAt(link)) ?? 0,
  }
}
