import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { PublicKey, SecretKey, Signature, verify as verifyBls } from '@chainsafe/blst'
import { type Address, addressKey, isValidKey } from './address.ts'
import { signedBytes } from './encoding.ts'
import { SignatureError } from './errors.ts'

const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

/** What signs: an address and its secret. Signatures are 64 bytes (ed25519) or 96 (BLS12-381, G2). */
export interface Signer {
  readonly address: Address
  sign(bytes: Uint8Array): Uint8Array
}

/** Keys that were parsed and found valid, so that each author pays for the subgroup check once. Bounded, oldest out. */
export interface KeyCache {
  get(address: Address): VerifyingKey | undefined
}

type VerifyingKey = { verify(bytes: Uint8Array, signature: Uint8Array): boolean }

export function createKeyCache(max = 4096): KeyCache {
  const keys = new Map<string, VerifyingKey>()
  return {
    get(address) {
      const id = addressKey(address)
      const known = keys.get(id)
      if (known !== undefined) return known
      if (!isValidKey(address)) return undefined
      const key = address.type === 'ed25519' ? ed25519Key(address.key) : blsKey(address.key)
      if (keys.size >= max) keys.delete(keys.keys().next().value as string)
      keys.set(id, key)
      return key
    },
  }
}

/** Throws a SignatureError unless `signature` is `address`'s over these bytes, in this network, for this kind. */
export function verifySignature(
  keys: KeyCache,
  signed: { network: string; kind: string; address: Address; bytes: Uint8Array; signature: Uint8Array },
): void {
  const key = keys.get(signed.address)
  if (key === undefined) throw new SignatureError('author', 'the key is not a point of the prime-order subgroup')
  if (!key.verify(signedBytes(signed.network, signed.kind, signed.bytes), signed.signature)) {
    throw new SignatureError('sig', `is not the ${signed.kind} signature of this author in network "${signed.network}"`)
  }
}

export function signFor(signer: Signer, network: string, kind: string, bytes: Uint8Array): Uint8Array {
  return signer.sign(signedBytes(network, kind, bytes))
}

/** A signer for an ed25519 private key: a KeyObject or PKCS#8 PEM text. */
export function ed25519Signer(secret: KeyObject | string): Signer {
  const key = typeof secret === 'string' ? createPrivateKey(secret) : secret
  if (key.asymmetricKeyType !== 'ed25519') throw new SignatureError('key', 'must be an ed25519 private key')
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return {
    address: { type: 'ed25519', key: Uint8Array.from(spki.subarray(SPKI_HEADER.byteLength)) },
    sign: (bytes) => Uint8Array.from(sign(null, bytes, key)),
  }
}

/** A signer for a BLS12-381 secret scalar of 32 bytes. */
export function blsSigner(secret: Uint8Array): Signer {
  const key = SecretKey.fromBytes(secret)
  return {
    address: { type: 'bls12-381', key: key.toPublicKey().toBytes() },
    sign: (bytes) => key.sign(bytes).toBytes(),
  }
}

function ed25519Key(raw: Uint8Array): VerifyingKey {
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEADER, raw]), format: 'der', type: 'spki' })
  return { verify: (bytes, signature) => signature.byteLength === 64 && verify(null, bytes, key, signature) }
}

function blsKey(raw: Uint8Array): VerifyingKey {
  const key = PublicKey.fromBytes(raw, true)
  return {
    verify(bytes, signature) {
      try {
        return signature.byteLength === 96 && verifyBls(bytes, key, Signature.fromBytes(signature, true))
      } catch {
        return false
      }
    },
  }
}
