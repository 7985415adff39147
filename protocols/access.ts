import { z } from 'zod'
import { type Address, addressBytes, decodeAddress, sameAddress } from './address.ts'
import type { CID } from './encoding.ts'
import { TokenError } from './errors.ts'
import { CLOCK_SKEW_SECONDS, MAX_ACCESS_SECONDS, MAX_TOKEN_BYTES } from './limits.ts'
import { addressOf, bytes, decodeWith, encodeWith, seconds, structureId } from './schema.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'

const accessSchema = z
  .strictObject({
    v: z.literal(1),
    service: structureId,
    /** address bytes of the peer that may use it */
    subject: addressOf,
    rights: z
      .array(z.enum(['logs', 'tunnel', 'results']))
      .min(1, 'must name at least one right')
      .refine((rights) => new Set(rights).size === rights.length, 'names a right twice'),
    issued: seconds,
    expires: seconds,
  })
  .refine(({ issued, expires }) => expires > issued && expires - issued <= MAX_ACCESS_SECONDS, {
    path: ['expires'],
    message: `must be later than issued, by at most ${MAX_ACCESS_SECONDS} seconds`,
  })

/** The author's permission for one peer to read a service's logs, to reach its ports or to fetch its results. */
export type AccessBody = z.output<typeof accessSchema>
export type AccessRight = AccessBody['rights'][number]

const tokenSchema = z.strictObject({ body: bytes(), sig: bytes() })

export function signAccess(body: AccessBody, network: string, author: Signer): Uint8Array {
  const encoded = encodeWith(accessSchema, body, MAX_TOKEN_BYTES)
  return encodeWith(tokenSchema, { body: encoded, sig: signFor(author, network, 'access', encoded) }, MAX_TOKEN_BYTES)
}

/** Reads a token by shape alone; `checkAccess` is what opens anything. */
export function decodeAccess(token: Uint8Array): { body: AccessBody; bytes: Uint8Array; sig: Uint8Array } {
  const { body: encoded, sig } = decodeWith(tokenSchema, token, MAX_TOKEN_BYTES, 'token')
  return { body: decodeWith(accessSchema, encoded, MAX_TOKEN_BYTES, 'token.body'), bytes: encoded, sig }
}

/**
 * Throws a ProtocolError unless `peer` may use `right` on the service: it is the author, or shows a token of the author's for it.
 */
export function checkAccess(
  asked: { service: CID; author: Address; peer: Address; right: AccessRight; token?: Uint8Array | undefined },
  context: { network: string; keys: KeyCache; nowSeconds: number },
): void {
  if (sameAddress(asked.peer, asked.author)) return
  if (asked.token === undefined) throw new TokenError('token', `${asked.right} of this service need the author's token`)
  const { body, bytes: encoded, sig } = decodeAccess(asked.token)
  if (!body.service.equals(asked.service)) throw new TokenError('token', 'is for another service')
  if (!sameAddress(decodeAddress(body.subject), asked.peer)) throw new TokenError('token', 'is for another peer')
  if (!body.rights.includes(asked.right)) throw new TokenError('token', `does not grant "${asked.right}"`)
  if (context.nowSeconds >= body.expires) throw new TokenError('token', 'has expired')
  if (body.issued > context.nowSeconds + CLOCK_SKEW_SECONDS) throw new TokenError('token', 'is not valid yet')
  verifySignature(context.keys, {
    network: context.network,
    kind: 'access',
    who: 'author',
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
