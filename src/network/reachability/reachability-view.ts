import { howMany } from '../../base/format.ts'
import type { ReachabilityView } from './types.ts'

/** What a node knows of how it can be reached. */
export type ReachabilityFacts = {
  /** does it listen at all */
  readonly listens: boolean
  /** ANNOUNCE names addresses: the operator says that it can be dialled there */
  readonly announced: boolean
  /** a peer from outside has connected to it, directly, within the last hour */
  readonly inboundSeen: boolean
  /** relays at which it has a reservation */
  readonly relays: readonly string[]
  /** connected static nodes that relay for others */
  readonly offers: number
  /** connected static nodes */
  readonly staticNodes: number
  /** why the last relay did not take this node */
  readonly refused?: string | undefined
  /** inbound connections had no time to come yet */
  readonly early: boolean
}

const FORWARD = 'forward the port of LISTEN to this machine and name the public address in ANNOUNCE of node.json'

/** A relay is wanted where nothing shows that other nodes can dial this one. */
export function needsRelay({ listens, announced, inboundSeen, early }: ReachabilityFacts): boolean {
  return listens && !announced && !inboundSeen && !early
}

export function describeReachability(facts: ReachabilityFacts): ReachabilityView {
  const { listens, announced, inboundSeen, relays, offers, staticNodes, refused, early } = facts
  if (!listens)
    return { state: 'none', because: 'it listens nowhere', advice: 'LISTEN in node.json says where', relays }
  if (inboundSeen) return { state: 'direct', because: 'another node has connected to it within the last hour', relays }
  if (announced) {
    return {
      state: 'direct',
      because:
        'ANNOUNCE says so; no other node has connected to it within the last hour, which neither proves nor disproves it',
      relays,
    }
  }
  if (relays.length > 0) {
    return {
      state: 'relayed',
      because: `no other node has connected to it directly; ${howMany(relays.length, 'static node relays', 'static nodes relay')} for it`,
      advice: `connections through a relay are slower and end after its bounds; to be dialled directly, ${FORWARD}`,
      relays,
    }
  }
  if (early)
    return { state: 'unknown', because: 'it has just started, and no other node has connected to it yet', relays }
  const none = (because: string, otherwise: string): ReachabilityView => ({
    state: 'none',
    because: `no other node has connected to it, and ${because}`,
    advice: `${FORWARD}, or ${otherwise}`,
    relays,
  })
  if (staticNodes === 0) {
    return none('it is connected to no static node that could relay', 'name a node with RELAY in STATIC_NODES')
  }
  if (offers === 0) return none('none of its static nodes relays', 'ask the operator of a static node to set RELAY')
  return none(
    `the static nodes that relay did not take it${refused === undefined ? '' : ` (${refused})`}`,
    'name another node with RELAY in STATIC_NODES; the node keeps trying',
  )
}
