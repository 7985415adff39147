import { z } from 'zod'
import { type Address, addressBytes, decodeAddress, sameAddress } from './address.ts'
import { type CID, encodeCanonical } from './encoding.ts'
import { ProtocolError } from './errors.ts'
import { CLOCK_SKEW_SECONDS, MAX_ACCESS_SECONDS } from './limits.ts'
import { addressOf, bytes, cid, decodeShape, parseShape, seconds } from './shape.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'

const accessSchema = z
  .strictObject({
    v: z.literal(1),
    service: cid,
    /** address bytes of the peer that may use it */
    subject: addressOf,
    rights: z.array(z.enum(['logs', 'tunnel'])).min(1).max(2),
    issued: seconds,
    expires: seconds,
  })
  .refine(({ issued, expires }) => expires > issued && expires - issued <= MAX_ACCESS_SECONDS, {
    path: ['expires'],
    message: `must be later than issued, by at most ${MAX_ACCESS_SECONDS} seconds`,
  })

/** The author's permission for one peer to read a service's logs or to reach its ports. */
export type AccessBody = z.output<typeof accessSchema>
export type AccessRight = AccessBody['rights'][number]

const tokenSchema = z.strictObject({ body: bytes(), sig: bytes() })

export function signAccess(body: AccessBody, network: string, author: Signer): Uint8Array {
  const encoded = encodeCanonical(parseShape(accessSchema, body))
  return encodeCanonical({ body: encoded, sig: signFor(author, network, 'access', encoded) })
}

/**
 * Throws unless `peer` may use `right` on the service: it is the author, or shows a token of the author's for it.
 */
export function checkAccess(
  asked: { service: CID; author: Address; peer: Address; right: AccessRight; token?: Uint8Array | undefined },
  context: { network: string; keys: KeyCache; nowSeconds: number },
): void {
  if (sameAddress(asked.peer, asked.author)) return
  if (asked.token === undefined) throw new ProtocolError('token', `${asked.right} of this service need the author's token`)
  const { body: encoded, sig } = decodeShape(tokenSchema, asked.token, 'token')
  const body = decodeShape(accessSchema, encoded, 'token')
  if (!body.service.equals(asked.service)) throw new ProtocolError('token', 'is for another service')
  if (!sameAddress(decodeAddress(body.subject), asked.peer)) throw new ProtocolError('token', 'is for another peer')
  if (!body.rights.includes(asked.right)) throw new ProtocolError('token', `does not grant "${asked.right}"`)
  if (context.nowSeconds >= body.expires) throw new ProtocolError('token', 'has expired')
  if (body.issued > context.nowSeconds + CLOCK_SKEW_SECONDS) throw new ProtocolError('token', 'is not valid yet')
  verifySignature(context.keys, {
    network: context.network,
    kind: 'access',
    address: asked.author,
    bytes: encoded,
    signature: sig,
  })
}

/** The body of a token, ready to sign. */
export function accessFor(
  service: CID,
  subject: Address,
  rights: AccessRight[],
  times: { issued: number; expires: number },
): AccessBody {
  return { v: 1, service, subject: addressBytes(subject), rights, ...times }
}
