import { aggregatePublicKeys, aggregateSignatures, PublicKey, Signature } from '@chainsafe/blst'
import { type Address, addressBytes } from '../../../protocols/address.ts'
import { compareBytes, encodeCanonical, sha256 } from '../../../protocols/encoding.ts'
import { provePossession } from '../../../protocols/multisig.ts'
import { type Signer, signFor } from '../../../protocols/signature.ts'
import { blsSignerOf, type Draft, EXPIRES, hex, ISSUED, type Json, NETWORK, signerOf } from './kit.ts'
import { CODE } from './samples.ts'

export const hub = signerOf('hub')
export const blsHub = blsSignerOf('hub')
export const NOW = ISSUED + 60
const times = { issued: ISSUED, expires: EXPIRES }

export const safe = { v: 1, hub: addressBytes(hub.address), code: CODE, verdict: 'safe', ...times, seq: 0 }
export const unsafe = {
  ...safe,
  verdict: 'unsafe',
  seq: 7,
  report: 'https://hub.example/reports/7',
  severity: 'critical',
}
export const frozen = {
  v: 1,
  hub: addressBytes(hub.address),
  address: addressBytes(signerOf('author').address),
  chain: 'sol',
  amount: '1500.25',
  ...times,
  seq: 3,
}
export const link = {
  v: 1,
  issuer: addressBytes(signerOf('root').address),
  subject: addressBytes(signerOf('author').address),
  depth: 2,
  ...times,
  seq: 0,
}

/** As it travels, whatever the body says. */
export function signed(body: unknown, kind: string, by: Signer, more: object = {}, network = NETWORK): Uint8Array {
  const encoded = encodeCanonical(body)
  return encodeCanonical({ body: encoded, sig: signFor(by, network, kind, encoded), ...more })
}

export function open(name: string, bytes: Uint8Array, more: { [input: string]: Json } = {}): Draft {
  return { name, op: 'statement.open', network: NETWORK, bytes: hex(bytes), now: NOW, ...more }
}

export function compared(name: string, a: Uint8Array, b: Uint8Array): Draft[] {
  return [
    { name, op: 'statement.replaces', a: hex(a), b: hex(b) },
    { name: `${name}, the other way round`, op: 'statement.replaces', a: hex(b), b: hex(a) },
  ]
}

export const MEMBERS: Signer[] = ['member 1', 'member 2', 'member 3', 'member 4'].map(blsSignerOf)
/** The hub that the four are. */
export const ROOT: Address = { type: 'bls12-381', key: sumOfKeys(MEMBERS.map(({ address }) => address)) }

export function sumOfKeys(addresses: Address[]): Uint8Array {
  return aggregatePublicKeys(addresses.map(({ key }) => PublicKey.fromBytes(key))).toBytes()
}

export function sumOfSignatures(signers: Signer[], kind: string, body: Uint8Array): Uint8Array {
  return aggregateSignatures(signers.map((one) => Signature.fromBytes(signFor(one, NETWORK, kind, body)))).toBytes()
}

/** Any holder of the secret. */
type Holder = Pick<Signer, 'address'>

/** Least significant bit first, over the members sorted by raw key. */
export function bitmapOf(signers: Holder[], members: Holder[] = MEMBERS): Uint8Array {
  const sorted = members.map(({ address }) => hex(address.key)).toSorted()
  const bitmap = new Uint8Array(Math.ceil(members.length / 8))
  for (const { address } of signers) {
    const at = sorted.indexOf(hex(address.key))
    bitmap[at >> 3] = (bitmap[at >> 3] ?? 0) | (1 << (at & 7))
  }
  return bitmap
}

export function member(address: Address, proof: Uint8Array): Json {
  return { address: hex(addressBytes(address)), proof: hex(proof) }
}

export function proven(signers: Signer[], network = NETWORK): Json[] {
  return signers.map((signer) => member(signer.address, provePossession(signer, network)))
}

export function pinned(members: Json[] = proven(MEMBERS), threshold = 3, root: Address = ROOT): Json {
  return { hub: hex(addressBytes(root)), members, threshold }
}

/** The body, a little longer valid, so that by its hash alone the other would win. */
export function withLargerHash<T extends { expires: number }>(
  body: T,
  other: T,
  sign: (body: T) => Uint8Array,
): Uint8Array {
  const hash = (value: T) => sha256(encodeCanonical(value))
  let larger = body
  while (compareBytes(hash(larger), hash(other)) < 0) larger = { ...larger, expires: larger.expires + 1 }
  return sign(larger)
}
