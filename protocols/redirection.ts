import { equals } from 'uint8arrays'
import { z } from 'zod'
import { sha256 } from './encoding.ts'
import { ProtocolError, TicketError } from './errors.ts'
import { MAX_DEPTH } from './limits.ts'
import { bytes, wholeNumber } from './schema.ts'

export const reachSchema = z.strictObject({ depth: wholeNumber(0, MAX_DEPTH), anchor: bytes(32) })

/** What the author signed: how deep the service may travel, and the end of the hash chain that proves it. */
export type Reach = z.output<typeof reachSchema>

/**
 * How far this copy may still travel, and the proof: H^depth(proof) = anchor, with H = sha256.
 * Lowering a depth is one hash; raising it would need a pre-image.
 */
export type Ticket = { readonly depth: number; readonly proof: Uint8Array }

/** The author's first ticket, from 32 secret random bytes, and the reach to sign. */
export function issueTicket(depth: number, secret: Uint8Array): { reach: Reach; ticket: Ticket } {
  if (!Number.isInteger(depth) || depth < 0 || depth > MAX_DEPTH) {
    throw new ProtocolError('reach.depth', `must be a whole number from 0 to ${MAX_DEPTH}`)
  }
  if (secret.byteLength !== 32) throw new ProtocolError('reach', 'the secret must be 32 bytes')
  return { reach: { depth, anchor: hashTimes(secret, depth) }, ticket: { depth, proof: secret.slice() } }
}

export function checkTicket(reach: Reach, ticket: Ticket): void {
  if (ticket.depth > reach.depth) {
    throw new TicketError('depth', `is ${ticket.depth}, the author allowed ${reach.depth}`)
  }
  if (!equals(hashTimes(ticket.proof, ticket.depth), reach.anchor)) {
    throw new TicketError('proof', `does not lead to the author's anchor in ${ticket.depth} steps`)
  }
}

/** As `checkTicket`, where a valid ticket of the same service is known: a lower one is a few hashes below it. */
export function checkTicketBy(known: Ticket, reach: Reach, ticket: Ticket): void {
  if (ticket.depth > known.depth || !equals(lowerTicket(known, ticket.depth).proof, ticket.proof)) {
    checkTicket(reach, ticket)
  }
}

/** The same ticket with a lower depth. */
export function lowerTicket(ticket: Ticket, depth: number): Ticket {
  if (!Number.isInteger(depth) || depth > ticket.depth || depth < 0) {
    throw new TicketError('depth', `cannot go from ${ticket.depth} to ${depth}`)
  }
  return { depth, proof: hashTimes(ticket.proof, ticket.depth - depth) }
}

/** The depth that a redirector emits, or undefined where it must stay silent. `limit` is its REDIRECTION_DEPTH. */
export function emittedDepth(best: number, limit: number): number | undefined {
  const depth = Math.min(best, limit) - 1
  return depth < 0 ? undefined : depth
}

function hashTimes(value: Uint8Array, times: number): Uint8Array {
  let current = value
  for (let step = 0; step < times; step++) current = sha256(current)
  return current
}
