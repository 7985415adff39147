import { createHash } from 'node:crypto'
import { PublicKey, Signature } from '@chainsafe/blst'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58btc } from 'multiformats/bases/base58'
import { formatLegacy, isValidKey } from '../../protocols/address.ts'
import { blsSignerOf, secretOf, signerOf, unhex } from './kit/kit.ts'

const { Point } = ed25519
const L = Point.CURVE().n
const P = Point.CURVE().p
const BLS_P = bls12_381.fields.Fp.ORDER

/** A point of order 8. */
export const TORSION = Point.fromBytes(unhex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'))

/** All spellings of all points of small order; the last six are not in the shortest form, which some libraries accept. */
export const SMALL_ORDER: [string, string][] = [
  ['order 1', '0100000000000000000000000000000000000000000000000000000000000000'],
  ['order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
  ['order 4, other sign', '0000000000000000000000000000000000000000000000000000000000000080'],
  ['order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['order 8, other sign', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ['order 8, other y', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['order 8, other y and sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['order 1, x = 0 with the sign bit', '0100000000000000000000000000000000000000000000000000000000000080'],
  ['order 2, x = 0 with the sign bit', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ['order 1, y = p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 1, y = p + 1 with the sign bit', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ['order 4, y = p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 4, y = p with the sign bit', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
]

/** An ordinary key plus a point of order 8: it signs, and without the subgroup check it would be a second name of one secret. */
export function mixedOrderKey(): Uint8Array {
  return Point.BASE.multiply(scalarOf('mixed')).add(TORSION).toBytes()
}

/** A signature that verifies under the mixed-order key if the subgroup is not checked: the challenge is a multiple of 8. */
export function signWithMixedOrder(message: Uint8Array): Uint8Array {
  const key = mixedOrderKey()
  for (let attempt = 0; ; attempt++) {
    const r = scalarOf(`nonce ${attempt}`)
    const commitment = Point.BASE.multiply(r).toBytes()
    const challenge = scalar(createHash('sha512').update(commitment).update(key).update(message).digest())
    if (challenge % 8n !== 0n) continue
    return Uint8Array.from([...commitment, ...littleEndian((r + challenge * scalarOf('mixed')) % L)])
  }
}

/** Signatures that an author can make by choosing R freely: `R = [S]B - [k]A` holds for the identity, and up to the cofactor for the others. */
export function signWithR(name: string, commitment: Uint8Array, message: Uint8Array): Uint8Array {
  const { key } = signerOf(name).address
  const challenge = scalar(createHash('sha512').update(commitment).update(key).update(message).digest())
  const secret = ed25519.utils.getExtendedPublicKey(secretOf(name)).scalar
  return Uint8Array.from([...commitment, ...littleEndian((challenge * secret) % L)])
}

/** S + L: the same signature for a verifier that does not check S < L. */
export function secondSpelling(signature: Uint8Array): Uint8Array {
  return Uint8Array.from([...signature.subarray(0, 32), ...littleEndian(number(signature.subarray(32)) + L)])
}

/** The first key pair of a fixed sequence whose legacy text also reads as another valid key in today's form. */
export function ambiguousText(): string {
  for (let index = 0; ; index++) {
    const text = formatLegacy(signerOf(`ambiguous ${index}`).address).slice('legacy:'.length)
    const key = base58btc.baseDecode(text)
    if (key.byteLength === 32 && isValidKey({ type: 'ed25519', key })) return text
  }
}

/** A legacy text that decodes to 32 bytes too, which are not a valid key: only one reading is left. */
export function nearlyAmbiguousText(): string {
  for (let index = 0; ; index++) {
    const text = formatLegacy(signerOf(`ambiguous ${index}`).address).slice('legacy:'.length)
    const key = base58btc.baseDecode(text)
    if (key.byteLength === 32 && !isValidKey({ type: 'ed25519', key })) return text
  }
}

/** On the curve, outside the subgroup. */
export function blsOutsideSubgroup(): Uint8Array {
  for (let x = 1; ; x++) {
    const bytes = new Uint8Array(48)
    bytes[0] = 0x80
    bytes[47] = x
    if (isPoint(() => PublicKey.fromBytes(bytes)) && !isPoint(() => PublicKey.fromBytes(bytes, true))) return bytes
  }
}

/** A valid key whose x is written as x + p: a second encoding for a decoder that reduces instead of refusing. */
export function blsAbovePrime(): Uint8Array {
  const excess = 2n ** 381n - BLS_P
  for (let index = 0; ; index++) {
    const { key } = blsSignerOf(`small x ${index}`).address
    const flags = (key[0] as number) & 0xe0
    const x = BigInt(`0x${Buffer.from(key).toString('hex')}`) & (2n ** 381n - 1n)
    if (x >= excess) continue
    const bytes = Buffer.from((x + BLS_P).toString(16).padStart(96, '0'), 'hex')
    bytes[0] = (bytes[0] as number) | flags
    return Uint8Array.from(bytes)
  }
}

/** The same for signatures. */
export function blsSignatureOutsideSubgroup(): Uint8Array {
  for (let x = 1; ; x++) {
    const bytes = new Uint8Array(96)
    bytes[0] = 0x80
    bytes[95] = x
    if (isPoint(() => Signature.fromBytes(bytes)) && !isPoint(() => Signature.fromBytes(bytes, true))) return bytes
  }
}

export function infinity(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes[0] = 0xc0
  return bytes
}

function isPoint(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

function scalarOf(name: string): bigint {
  return scalar(secretOf(name))
}

function scalar(bytes: Uint8Array): bigint {
  return number(bytes) % L
}

function number(littleEndianBytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndianBytes).reverse().toString('hex')}`)
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse())
}

/** y = 2 + p: the encoding of a y that is on the curve for small values, written one field too high. */
export function nonCanonicalY(): Uint8Array {
  for (let y = 2n; y < 19n; y++) {
    try {
      Point.fromBytes(littleEndian(y))
      return littleEndian(y + P)
    } catch {
      // no point has this y
    }
  }
  throw new Error('no small y is on the curve')
}
