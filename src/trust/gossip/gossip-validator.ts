import { ProtocolError, SignatureError } from '../../../protocols/errors.ts'
import { decodeStatement } from '../../../protocols/statement.ts'
import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import { keyOf, LruMap } from '../../base/lru-map.ts'
import { createKeyedRateLimiter } from '../../base/token-bucket.ts'
import {
  MAX_RATE_LIMITED_PEERS,
  UNTRUSTED_RELAY_KEYS,
  UNTRUSTED_RELAY_PER_CODE,
  UNTRUSTED_RELAY_PER_PEER,
} from '../constants.ts'
import type { TrustEvents } from '../events.ts'
import type { Ingest } from '../statements/ingest.ts'

export interface GossipValidatorComponents {
  clock: Clock
  events: Emitter<TrustEvents>
  ingest: Pick<Ingest, 'take' | 'checkSignature'>
  hasLiveCode(code: string): boolean
}

/** Validates each message on the statements topic. */
export function createGossipValidator({ clock, events, ingest, hasLiveCode }: GossipValidatorComponents) {
  const newest = new LruMap<string, number>(UNTRUSTED_RELAY_KEYS)
  const codes = createKeyedRateLimiter(clock, UNTRUSTED_RELAY_PER_CODE, UNTRUSTED_RELAY_KEYS)
  const peers = createKeyedRateLimiter(clock, UNTRUSTED_RELAY_PER_PEER, MAX_RATE_LIMITED_PEERS)

  /**
   * `unsafe` of a hub that is not trusted here may be what a neighbour's operator waits for. Keys are free, so of one
   * hub and code only what is new passes, and of one code and one sender only so many.
   */
  function relaysUntrusted(bytes: Uint8Array, from: string): boolean {
    const statement = decodeStatement(bytes)
    if (statement.kind !== 'attestation' || statement.body.verdict !== 'unsafe') return false
    // only a node that pinned the members can decide
    if (statement.signers !== undefined) return false
    const code = statement.body.code.toString()
    const key = `${keyOf(statement.body.hub)}/${code}`
    if ((newest.get(key) ?? -1) >= statement.body.seq || !hasLiveCode(code)) return false
    if (!peers.take(from)) return false
    if (!codes.take(code)) {
      peers.refund(from)
      return false
    }
    let passes = false
    try {
      passes = ingest.checkSignature(bytes, statement, { via: 'gossip', from })
    } finally {
      // a forged statement uses up no share of a code
      if (!passes) codes.refund(code)
    }
    if (passes) newest.set(key, statement.body.seq)
    return passes
  }

  return (bytes: Uint8Array, from: string): 'accept' | 'ignore' | 'reject' => {
    try {
      const taken = ingest.take(bytes, { via: 'gossip', from })
      if (taken !== 'untrusted') return taken === 'new' ? 'accept' : 'ignore'
    } catch (error) {
      if (error instanceof ProtocolError) return 'reject'
      throw error
    }
    try {
      return relaysUntrusted(bytes, from) ? 'accept' : 'ignore'
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error
      events.emit('trust:refused', { via: 'gossip', from, reason: sanitizeText(error.message) })
      return 'reject'
    }
  }
}
