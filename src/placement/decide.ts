import { precedes, type RankedClaim } from '../../protocols/claims.ts'
import { compareBytes } from '../../protocols/encoding.ts'
import type { Part } from './types.ts'

/** start: its claim stands. claim: a replica is missing. stop: it is one too many. stand-by: it is not wanted now. */
export type Decision = 'start' | 'claim' | 'keep' | 'stop' | 'stand-by'

export type CountedClaim = RankedClaim & {
  readonly peer: string
  /** It was answered in this very round. */
  readonly fresh: boolean
}

export type RoundFacts = {
  readonly part: Part
  /** wanted runs */
  readonly replicas: number
  readonly distance: Uint8Array
  /** its run failed again and again */
  readonly leaving: boolean
  readonly claims: readonly CountedClaim[]
  /** rounds in a row before this one with the same finding: preceded, or, of a stand-by, a replica is missing */
  readonly before: number
}

export type RoundResult = {
  readonly decision: Decision
  /** claims that go before its own; of a stand-by, all that count */
  readonly ahead: readonly CountedClaim[]
  /** for `before` of the next round */
  readonly found: boolean
}

/** What follows from a round of answers about one service. Pure. */
export function decidePlacement(facts: RoundFacts): RoundResult {
  const { part, replicas, before } = facts
  const ahead = claimsAhead(facts)
  const preceded = ahead.length >= replicas
  switch (part) {
    case 'bound':
      return { decision: 'keep', ahead: [], found: false }
    case 'claiming':
      return { decision: preceded ? 'stand-by' : 'start', ahead, found: false }
    case 'standing-by':
      return { decision: !preceded && before > 0 ? 'claim' : 'keep', ahead, found: !preceded }
    default:
      return { decision: preceded && before > 0 ? 'stop' : 'keep', ahead, found: preceded }
  }
}

function claimsAhead({ part, distance, leaving, claims }: RoundFacts): CountedClaim[] {
  switch (part) {
    case 'bound':
      return []
    case 'standing-by':
      return claims.filter((claim) => !claim.leaving)
    case 'claiming':
      return claims.filter((claim) => precedes(claim, { state: 'claiming', leaving: false, distance }))
    case 'starting':
      return claims.filter((claim) => precedes(claim, { state: 'accepted', leaving, distance }))
    case 'running':
      // what is healthy makes way for what is healthy alone, and for what answered just now
      return claims.filter((claim) => isServing(claim) && precedes(claim, { state: 'running', leaving, distance }))
  }
}

/** It runs, or is done, as it answered just now. */
export function isServing({ state, fresh, leaving }: CountedClaim): boolean {
  return fresh && !leaving && (state === 'running' || state === 'done')
}

/** One sentence for people: what these claims of others come to. */
export function claimedText(
  claims: readonly CountedClaim[],
  { replicas, distance }: Pick<RoundFacts, 'replicas' | 'distance'>,
): string {
  const count = Math.min(claims.length, replicas)
  if (count === 0) return 'no other node claims a replica'
  const nearer = claims.every((claim) => compareBytes(claim.distance, distance) < 0)
  if (replicas === 1) return `the one replica is claimed by ${nearer ? 'a nearer node' : 'another node'}`
  const nodes = count === 1 ? (nearer ? 'a nearer node' : 'another node') : `${nearer ? 'nearer' : 'other'} nodes`
  return `${count} of ${replicas} replicas ${count === 1 ? 'is' : 'are'} claimed by ${nodes}`
}
