import { z } from 'zod'
import { decodeAddress } from './address.ts'
import { type CID, compareBytes, decodeCanonical, encodeCanonical, sha256 } from './encoding.ts'
import { ProtocolError } from './errors.ts'
import { CLOCK_SKEW_SECONDS, MAX_ANNOUNCEMENT_BYTES, MAX_DEPTH } from './limits.ts'
import { checkTicket, type Ticket } from './redirection.ts'
import { bytes, checkSize, parseWith, wholeNumber } from './schema.ts'
import { type ServiceBody, serviceId, serviceSchema } from './service.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'
import { type StopBody, stopSchema } from './stop.ts'

/** The announcement's tuple, by the names of its places. */
const wrapperSchema = z.strictObject({
  v: z.literal(1),
  body: bytes(),
  sig: bytes(),
  depth: wholeNumber(0, MAX_DEPTH),
  proof: bytes(32),
})

/** The signed thing inside an announcement, without the ticket. */
export type Signed =
  | {
      readonly kind: 'service'
      readonly id: CID
      readonly body: ServiceBody
      readonly bytes: Uint8Array
      readonly sig: Uint8Array
    }
  | {
      readonly kind: 'stop'
      readonly id: CID
      readonly body: StopBody
      readonly bytes: Uint8Array
      readonly sig: Uint8Array
    }

/** The gossip message: something signed by its author, and the redirection ticket of this copy. */
export type Announcement = { readonly signed: Signed; readonly ticket: Ticket }

/** `/thundercloud/<network>/services/1` */
export function servicesTopic(network: string): string {
  return `/thundercloud/${network}/services/1`
}

/** gossipsub's message id: the first 20 bytes of sha256(topic || 0x00 || data). */
export function messageId(topic: string, data: Uint8Array): Uint8Array {
  // one piece: hashing three costs twice as much, and this is asked of every copy
  return sha256(Buffer.concat([Buffer.from(`${topic}\0`), data])).subarray(0, 20)
}

/** The same bytes for the same service and depth from every encoder, so that gossipsub deduplicates them. */
export function encodeAnnouncement(copy: { signed: Pick<Signed, 'bytes' | 'sig'>; ticket: Ticket }): Uint8Array {
  const { signed, ticket } = copy
  const encoded = encodeCanonical([1, signed.bytes, signed.sig, ticket.depth, ticket.proof])
  checkSize(encoded, MAX_ANNOUNCEMENT_BYTES, '')
  return encoded
}

/** The outermost shape alone: what is signed, still encoded, and the ticket. Enough to recognise a copy of what is known. */
export function unwrapAnnouncement(encoded: Uint8Array): { body: Uint8Array; sig: Uint8Array; ticket: Ticket } {
  checkSize(encoded, MAX_ANNOUNCEMENT_BYTES, '')
  const tuple = decodeCanonical(encoded)
  if (!Array.isArray(tuple) || tuple.length !== 5) throw new ProtocolError('', 'must be [1, body, sig, depth, proof]')
  const [v, ...rest] = tuple as [unknown, unknown, unknown, unknown, unknown]
  const wrapper = { v, body: rest[0], sig: rest[1], depth: rest[2], proof: rest[3] }
  const { body, sig, depth, proof } = parseWith(wrapperSchema, wrapper)
  return { body, sig, ticket: { depth, proof } }
}

/** Shape, limits and ticket; not yet the signature (`verifyAnnouncement`), which costs more and is checked once. */
export function decodeAnnouncement(encoded: Uint8Array): Announcement {
  const { body, sig, ticket } = unwrapAnnouncement(encoded)
  const signed = decodeSigned(body, sig)
  checkTicket(signed.body.reach, ticket)
  return { signed, ticket }
}

/** Reads the body of an announcement: a stop says `stop: true`, everything else is a service. */
export function decodeSigned(encoded: Uint8Array, sig: Uint8Array): Signed {
  const value = decodeCanonical(encoded, 'body')
  const id = serviceId(encoded)
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, 'stop')) {
    return { kind: 'stop', id, body: parseWith(stopSchema, value), bytes: encoded, sig }
  }
  return { kind: 'service', id, body: parseWith(serviceSchema, value), bytes: encoded, sig }
}

/** Throws a SignatureError unless the author signed this body for this network. */
export function verifyAnnouncement(signed: Signed, network: string, keys: KeyCache): void {
  verifySignature(keys, {
    network,
    kind: signed.kind,
    who: 'author',
    address: decodeAddress(signed.body.author, 'author'),
    bytes: signed.bytes,
    signature: signed.sig,
  })
}

export function signService(body: Uint8Array, network: string, signer: Signer): Signed {
  return decodeSigned(body, signFor(signer, network, 'service', body))
}

export function signStop(body: Uint8Array, network: string, signer: Signer): Signed {
  return decodeSigned(body, signFor(signer, network, 'stop', body))
}

/** Too early or too late for this clock: such a message is ignored, never rejected (honest relays must not pay). */
export function timeWindowError(
  body: { issued: number; expires: number },
  nowSeconds: number,
): 'early' | 'expired' | undefined {
  if (body.issued > nowSeconds + CLOCK_SKEW_SECONDS) return 'early'
  if (body.expires <= nowSeconds) return 'expired'
  return undefined
}

/** What decides between two of one (author, name). */
export type VersionKey = { readonly kind: Signed['kind']; readonly id: CID; readonly body: { readonly seq: number } }

/** Which of two of one (author, name) is current: the higher seq; a stop at equal seq; then the smaller id. */
export function supersedes(a: VersionKey, b: VersionKey): boolean {
  if (a.body.seq !== b.body.seq) return a.body.seq > b.body.seq
  if (a.kind !== b.kind) return a.kind === 'stop'
  return compareBytes(a.id.multihash.digest, b.id.multihash.digest) < 0
}
