import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { PublicKey, SecretKey, Signature, verify as verifyBls } from '@chainsafe/blst'
import { type Address, isValidKey } from './address.ts'
import { ProtocolError, quoted, SignatureError } from './errors.ts'
import { beginsWithSmallOrderPoint } from './small-order.ts'

const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

/** Also in topics and protocol names: no slash and no zero byte, so that what is signed reads in one way only. */
const NETWORK_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** What signs: an address and its secret. Signatures are 64 bytes (ed25519) or 96 (BLS12-381, G2). */
export interface Signer {
  readonly address: Address
  sign(bytes: Uint8Array): Uint8Array
}

/**
 * Keys that were parsed and found valid, so that each author pays for the subgroup check once. Bounded, oldest out.
 * A key is added only after a valid signature: unsigned bytes cannot evict the keys in use.
 */
export interface KeyCache {
  verify(address: Address, bytes: Uint8Array, signature: Uint8Array): 'valid' | 'bad-signature' | 'bad-key'
}

type VerifyingKey = { verify(bytes: Uint8Array, signature: Uint8Array): boolean }

export function createKeyCache(max = 4096): KeyCache {
  const keys = new Map<string, VerifyingKey>()
  return {
    verify(address, bytes, signature) {
      const id = `${address.type}:${Buffer.from(address.key).toString('latin1')}`
      const known = keys.get(id)
      const key = known ?? parseKey(address)
      if (key === undefined) return 'bad-key'
      // the subgroup check costs more than the verification: only a signature that holds is worth it
      if (!key.verify(bytes, signature)) return 'bad-signature'
      if (known !== undefined) return 'valid'
      if (!isValidKey(address)) return 'bad-key'
      if (keys.size >= max) keys.delete(keys.keys().next().value as string)
      keys.set(id, key)
      return 'valid'
    },
  }
}

/** What a signature of `kind` covers in `network`: nothing signed for one network or kind is valid in another. */
export function signedBytes(network: string, kind: string, body: Uint8Array): Uint8Array {
  if (!NETWORK_NAME.test(network)) {
    throw new ProtocolError('network', `${quoted(network)} is no network name: up to 32 of a-z, 0-9 and "-"`)
  }
  const prefix = Buffer.from(`thundercloud/${network}/${kind}/1\0`, 'latin1')
  const bytes = new Uint8Array(prefix.byteLength + body.byteLength)
  bytes.set(prefix, 0)
  bytes.set(body, prefix.byteLength)
  return bytes
}

/** Throws a SignatureError unless `signature` is `address`'s over these bytes, in this network, for this kind. */
export function verifySignature(
  keys: KeyCache,
  signed: {
    network: string
    kind: string
    /** the field that holds the signer's address, for the error */
    who: string
    address: Address
    bytes: Uint8Array
    signature: Uint8Array
  },
): void {
  const { network, kind, who } = signed
  const outcome = keys.verify(signed.address, signedBytes(network, kind, signed.bytes), signed.signature)
  if (outcome === 'bad-key') {
    throw new SignatureError('sig', `${who} is no key of the prime-order subgroup, so nothing is its signature`)
  }
  if (outcome === 'bad-signature') {
    throw new SignatureError('sig', `is not the ${kind} signature of this ${who} in network "${network}"`)
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

/** undefined if the bytes are not a point. */
function parseKey({ type, key }: Address): VerifyingKey | undefined {
  try {
    return type === 'ed25519' ? ed25519Key(key) : blsKey(key)
  } catch {
    return undefined
  }
}

function ed25519Key(raw: Uint8Array): VerifyingKey {
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEADER, raw]), format: 'der', type: 'spki' })
  return {
    verify: (bytes, signature) =>
      signature.byteLength === 64 && !beginsWithSmallOrderPoint(signature) && verify(null, bytes, key, signature),
  }
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
