import type { ValidationResult } from './message-validator.ts'

export type GossipTopic = 'services' | 'statements'

/** What the network reports to the rest of the node. */
export type NetworkEvents = {
  'network:listening': { multiaddrs: readonly string[] }
  'network:peer-connected': { peer: string; multiaddr: string; direction: 'inbound' | 'outbound' }
  'network:peer-disconnected': { peer: string }
  /** `target`: a multiaddr or an origin; `reason` is for people. */
  'network:dial-failed': { target: string; reason: string; attempt: number; retryInMs: number }
  /** One message came by gossip, and the validator has answered. `dropped`: too many were waiting. */
  'network:gossip-arrived': { topic: GossipTopic; from: string; bytes: number; answer: ValidationResult | 'dropped' }
  'network:gossip-published': { topic: GossipTopic; bytes: number; outcome: 'published' | 'seen' | 'no-peers' }
  /** A round of sync with one neighbour is over. */
  'network:synced': {
    peer: string
    listed: number
    pulled: number
    statementsListed: number
    statementsPulled: number
  }
  /** A peer misbehaved too often: it was disconnected, and is refused for `forMs`. */
  'network:excluded': { peer: string; score: number; forMs: number }
  /** A peer wanted more than its share: a stream, a request, frames or bytes, or space for a record. */
  'network:refused': { peer: string; protocol: string; reason: string }
}
