import { type Address, peerIdBytes } from './address.ts'
import { type CID, sha256 } from './encoding.ts'
import type { ReceiptBody, ReceiptState } from './receipt.ts'

const CLAIMS: ReadonlySet<ReceiptState> = new Set(['done', 'running', 'accepted'])

/** Is the answer of a node, asked just now, a claim on one of the runs that a service wants? When it was signed does not matter. */
export function isClaim({ state }: Pick<ReceiptBody, 'state'>): boolean {
  return CLAIMS.has(state)
}

/** How far a node is from a service: H(peer id bytes) XOR H(CID bytes), a number of 32 bytes, big-endian. */
export function claimDistance(node: Address, service: CID): Uint8Array {
  const there = sha256(service.bytes)
  return sha256(peerIdBytes(node)).map((byte, at) => byte ^ (there[at] as number))
}
