import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { equals } from 'uint8arrays'
import { beginsWithSmallOrderPoint } from './small-order.ts'

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex')

/**
 * 5 L - 1 in little-endian, where L is the order of the subgroup. It is a multiple of 8 between 2^254 and 2^255, so X25519's
 * clamping leaves it as it is.
 */
const FACTOR = Buffer.from('a023cdd083ef5bb82f10d62e59e15a6800000000000000000000000000000050', 'hex')
const KEY = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, FACTOR]), format: 'der', type: 'pkcs8' })

/**
 * Do these 32 bytes encode a point of edwards25519's prime-order subgroup that is not the identity?
 *
 * A point is P + T, P in the subgroup and T of order 1, 2, 4 or 8. The factor is -1 modulo L and 0 modulo 8, so the product is
 * -P. It has the same u as P + T only where T is the identity: P + T = -P would make 2 P = -T, and both the identity.
 * X25519 computes u alone, and it is native: the whole takes a quarter of the time of a multiplication by L in JavaScript.
 */
export function isSubgroupPoint(bytes: Uint8Array): boolean {
  if (beginsWithSmallOrderPoint(bytes)) return false
  try {
    // it throws where this is no canonical encoding of a point of the curve: X25519 would take one of the twist
    const u = ed25519.utils.toMontgomery(bytes)
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI_X25519, u]), format: 'der', type: 'spki' })
    return equals(diffieHellman({ privateKey: KEY, publicKey }), u)
  } catch {
    return false
  }
}
