import { bls12_381 } from '@noble/curves/bls12-381.js'
import type { Address } from '../../protocols/address.ts'
import { signedBytes, signFor } from '../../protocols/signature.ts'
import {
  blsSecretOf,
  blsSignerOf,
  type Draft,
  hex,
  NETWORK,
  refuses,
  signerOf,
  unhex,
  type VectorFile,
} from './kit/kit.ts'
import { join } from './raw.ts'
import {
  blsOutsideSubgroup,
  blsSignatureOutsideSubgroup,
  infinity,
  mixedOrderKey,
  nonCanonicalY,
  SMALL_ORDER,
  secondSpelling,
  signWithMixedOrder,
  signWithR,
} from './weird-keys.ts'

const BODY = new TextEncoder().encode('body')
const KIND = 'service'

export function signature(): VectorFile {
  return {
    about: 'Signatures of both key types. `signed` in the result is what the signature covers.',
    cases: [...ed25519(), ...bls(), ...networks()],
  }
}

function ed25519(): Draft[] {
  const signer = signerOf('author')
  const sig = signFor(signer, NETWORK, KIND, BODY)
  const good = verify('ed25519', signer.address, sig)
  const badSig = refuses('signature', 'sig')
  const identity = unhex(`01${'00'.repeat(31)}`)
  const base = unhex(`58${'66'.repeat(31)}`)
  const one = unhex(`01${'00'.repeat(31)}`)
  return [
    good,
    { ...good, name: 'ed25519: another network', network: 'vectors-2', ...badSig },
    { ...good, name: 'ed25519: another kind', kind: 'stop', ...badSig },
    { ...good, name: 'ed25519: another body', body: hex(Uint8Array.of(...BODY, 0)), ...badSig },
    { ...good, name: 'ed25519: another key', key: hex(signerOf('peer').address.key), ...badSig },
    { ...good, name: 'ed25519: the body alone was signed', sig: hex(signer.sign(BODY)), ...badSig },
    { ...good, name: 'ed25519: a bit of R', sig: hex(flip(sig, 0)), ...badSig },
    { ...good, name: 'ed25519: a bit of S', sig: hex(flip(sig, 40)), ...badSig },
    { ...good, name: 'ed25519: S + L', sig: hex(secondSpelling(sig)), ...badSig },
    { ...good, name: 'ed25519: empty', sig: '', ...badSig },
    { ...good, name: 'ed25519: 63 bytes', sig: hex(sig.subarray(0, 63)), ...badSig },
    { ...good, name: 'ed25519: 65 bytes', sig: hex(Uint8Array.of(...sig, 0)), ...badSig },
    { ...good, name: 'ed25519: zeros', sig: '00'.repeat(64), ...badSig },
    {
      ...verify(
        'ed25519: the identity as key, for which (B, 1) signs everything',
        { type: 'ed25519', key: identity },
        join(base, one),
      ),
      ...badSig,
    },
    {
      ...verify(
        'ed25519: a key of mixed order, and a signature that verifies',
        { type: 'ed25519', key: mixedOrderKey() },
        signWithMixedOrder(signedBytes(NETWORK, KIND, BODY)),
      ),
      ...badSig,
    },
    ...SMALL_ORDER.map(([name, point]) => ({
      ...verify(`ed25519: R of ${name}`, signer.address, signWithCommitment('author', unhex(point))),
      ...badSig,
    })),
    ...SMALL_ORDER.map(([name, point]) => ({
      ...verify(`ed25519: key of ${name}`, { type: 'ed25519', key: unhex(point) }, join(base, one)),
      ...badSig,
    })),
    {
      ...verify('ed25519: a key that is no point', { type: 'ed25519', key: unhex(`02${'00'.repeat(31)}`) }, sig),
      ...badSig,
    },
    { ...verify('ed25519: a key with y above p', { type: 'ed25519', key: nonCanonicalY() }, sig), ...badSig },
  ]
}

function bls(): Draft[] {
  const signer = blsSignerOf('hub')
  const sig = signFor(signer, NETWORK, KIND, BODY)
  const good = verify('bls', signer.address, sig)
  const badSig = refuses('signature', 'sig')
  return [
    good,
    { ...good, name: 'bls: another network', network: 'vectors-2', ...badSig },
    { ...good, name: 'bls: another key', key: hex(blsSignerOf('hub 2').address.key), ...badSig },
    { ...good, name: 'bls: the ciphersuite without proof of possession', sig: hex(nulSignature()), ...badSig },
    { ...good, name: 'bls: infinity', sig: hex(infinity(96)), ...badSig },
    { ...good, name: 'bls: signature outside the subgroup', sig: hex(blsSignatureOutsideSubgroup()), ...badSig },
    { ...good, name: 'bls: 95 bytes', sig: hex(sig.subarray(0, 95)), ...badSig },
    { ...good, name: 'bls: not compressed', sig: hex(bls12_381.G2.Point.fromBytes(sig).toBytes(false)), ...badSig },
    { ...verify('bls: key at infinity', { type: 'bls12-381', key: infinity(48) }, infinity(96)), ...badSig },
    { ...verify('bls: key outside the subgroup', { type: 'bls12-381', key: blsOutsideSubgroup() }, sig), ...badSig },
  ]
}

function networks(): Draft[] {
  const signer = signerOf('author')
  const longest = 'n'.repeat(32)
  const names = ['', 'A', 'a/b', 'a_b', '-a', 'a b', `${longest}n`, 'a\0', 'a\n']
  return [
    { ...verify('network: 32 characters', signer.address, signFor(signer, longest, KIND, BODY)), network: longest },
    ...names.map((network) => ({
      ...verify(`network: ${JSON.stringify(network)}`, signer.address, new Uint8Array(64)),
      network,
      ...refuses('shape', 'network', 'signature'),
    })),
  ]
}

/** S = k * a for the R that is named: a signature to every library that takes such an R. */
function signWithCommitment(name: string, commitment: Uint8Array): Uint8Array {
  return signWithR(name, commitment, signedBytes(NETWORK, KIND, BODY))
}

/** By the same secret, with the suite that is meant for aggregation without proofs. */
function nulSignature(): Uint8Array {
  const { longSignatures } = bls12_381
  const secret = blsSecretOf('hub')
  const message = longSignatures.hash(signedBytes(NETWORK, KIND, BODY), 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_')
  return longSignatures.sign(message, secret).toBytes()
}

function verify(name: string, { type, key }: Address, sig: Uint8Array): Draft {
  return {
    name,
    op: 'signature.verify',
    type,
    key: hex(key),
    network: NETWORK,
    kind: KIND,
    body: hex(BODY),
    sig: hex(sig),
  }
}

function flip(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))
}
