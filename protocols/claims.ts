import { type Address, peerIdBytes } from './address.ts'
import { type CID, compareBytes, sha256 } from './encoding.ts'
import { type ReceiptBody, RUN_RULES } from './receipt.ts'

/** What a claim rests on, the strongest first. `claiming`: the node asks whether its run is wanted, and starts nothing before. */
export const CLAIM_STATES = ['done', 'running', 'accepted', 'claiming'] as const
export type ClaimState = (typeof CLAIM_STATES)[number]

/** What a node answers now, where that is a claim on one of the runs that a service wants. */
export type Claim = {
  readonly state: ClaimState
  /** It gives the claim up as soon as another has it: it precedes none. */
  readonly leaving: boolean
}

export type RankedClaim = Claim & { readonly distance: Uint8Array }

/** The claim in an answer that was asked for just now; undefined where there is none. When it was signed does not matter. */
export function claimOf({ state, reasons }: Pick<ReceiptBody, 'state' | 'reasons'>): Claim | undefined {
  if (state === 'done') return { state, leaving: false }
  if (state !== 'running' && state !== 'accepted') return undefined
  const words = reasons.flatMap(({ rule, message }) => (rule === RUN_RULES.claim ? [message.split(':', 1)[0]] : []))
  const claiming = state === 'accepted' && words.includes('claiming')
  return { state: claiming ? 'claiming' : state, leaving: words.includes('leaving') }
}

/** Does the claim `a` go before `b`? Of two nodes, at most one goes before the other, and all nodes come to the same. */
export function precedes(a: RankedClaim, b: RankedClaim): boolean {
  if (a.leaving || b.leaving) return !a.leaving
  const order = CLAIM_STATES.indexOf(a.state) - CLAIM_STATES.indexOf(b.state)
  return order < 0 || (order === 0 && compareBytes(a.distance, b.distance) < 0)
}

/** How far a node is from a service: H(peer id bytes) XOR H(CID bytes), a number of 32 bytes, big-endian. */
export function claimDistance(node: Address, service: CID): Uint8Array {
  const there = sha256(service.bytes)
  return sha256(peerIdBytes(node)).map((byte, at) => byte ^ (there[at] as number))
}
