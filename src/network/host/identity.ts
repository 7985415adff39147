import { createPrivateKey, KeyObject } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { InputError, messageOf } from '../../base/errors.ts'

/** The node's key as libp2p wants it: 32 bytes of seed and 32 of public key. */
export function libp2pKey(identity: KeyObject | string): Ed25519PrivateKey {
  const { kty, crv, d, x } = readKey(identity).export({ format: 'jwk' })
  if (kty !== 'OKP' || crv !== 'Ed25519' || d === undefined || x === undefined) {
    throw new InputError('the identity must be an ed25519 private key (PKCS#8 PEM)')
  }
  const raw = Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')])
  return privateKeyFromRaw(Uint8Array.from(raw)) as Ed25519PrivateKey
}

function readKey(identity: KeyObject | string): KeyObject {
  if (identity instanceof KeyObject) {
    if (identity.type === 'private') return identity
    throw new InputError(`the identity is a ${identity.type} key; it must be an ed25519 private key`)
  }
  try {
    return createPrivateKey(identity)
  } catch (cause) {
    throw new InputError(`the identity is not a private key in PEM: ${messageOf(cause)}`, { cause })
  }
}
