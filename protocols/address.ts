import { PublicKey } from '@chainsafe/blst'
import { base58btc } from 'multiformats/bases/base58'
import { equals } from 'uint8arrays'
import { AddressError, quoted } from './errors.ts'
import { MAX_ADDRESS_TEXT_LENGTH } from './limits.ts'
import { isSubgroupPoint } from './subgroup.ts'

export type KeyType = 'ed25519' | 'bls12-381'

/** An identity: which kind of key, and its raw bytes. Two spellings of one key are one address. */
export type Address = { readonly type: KeyType; readonly key: Uint8Array }

/** Multicodec varints: ed25519-pub 0xed, bls12_381-g1-pub 0xea. */
const CODECS: Record<KeyType, readonly [number, number]> = { ed25519: [0xed, 0x01], 'bls12-381': [0xea, 0x01] }

/** base58 of the SPKI DER of any ed25519 key begins so; legacy texts leave it out. */
const LEGACY_PREFIX = 'GfHq2tTVk9z4eXgy'
const SPKI_HEADER = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)
/** Identity multihash of libp2p's protobuf of an ed25519 public key. */
const PEER_ID_HEADER = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** Address bytes as the wire carries them: multicodec varint, then the raw key. */
export function addressBytes(address: Address): Uint8Array {
  return Uint8Array.of(...CODECS[address.type], ...address.key)
}

/** The key type of bytes that have the shape of address bytes; undefined for any other. */
export function addressTypeOf(bytes: Uint8Array): KeyType | undefined {
  if (bytes[1] !== 0x01) return undefined
  if (bytes[0] === 0xed) return bytes.byteLength === 34 ? 'ed25519' : undefined
  if (bytes[0] === 0xea) return bytes.byteLength === 50 ? 'bls12-381' : undefined
  return undefined
}

/** Reads address bytes by shape alone; whether the key is a valid point is `isValidKey`'s question (it costs more). */
export function decodeAddress(bytes: Uint8Array, field = 'address'): Address {
  const type = addressTypeOf(bytes)
  if (type === undefined) {
    throw new AddressError(
      field,
      'must be 0xed01 and an ed25519 key of 32 bytes, or 0xea01 and a BLS12-381 G1 key of 48 bytes',
    )
  }
  return { type, key: Uint8Array.prototype.slice.call(bytes, 2) }
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.type === b.type && equals(a.key, b.key)
}

/** One key for maps and sets, whatever the spelling was. */
export function addressKey(address: Address): string {
  return `${address.type}:${base58btc.baseEncode(address.key)}`
}

/** Is it a point of the prime-order subgroup? Costs up to a millisecond: callers keep the answer. */
export function isValidKey({ type, key }: Address): boolean {
  if (type === 'ed25519') return isSubgroupPoint(key)
  try {
    PublicKey.fromBytes(key, true)
    return true
  } catch {
    return false
  }
}

/**
 * Reads an address as people write it: base58 (ed25519 or BLS), the legacy form, `0x` hex (BLS), or any of them
 * with its prefix `ed25519:`, `legacy:`, `bls12-381:`. A text that is two valid keys is refused with both spellings.
 */
export function parseAddress(text: string, field = 'address'): Address {
  if (text.length > MAX_ADDRESS_TEXT_LENGTH) {
    throw new AddressError(
      field,
      `${quoted(text)} is no address: the longest has ${MAX_ADDRESS_TEXT_LENGTH} characters`,
    )
  }
  const [prefix, rest] = splitPrefix(text)
  const readings = new Map([
    ['ed25519', readModern],
    ['legacy', readLegacy],
    ['bls12-381', readBls],
  ])
  if (prefix !== undefined) {
    const read = readings.get(prefix)
    if (read === undefined) {
      throw new AddressError(field, `${quoted(text)} has an unknown prefix; known are ed25519:, legacy: and bls12-381:`)
    }
    const address = read(rest)
    if (address === undefined) throw new AddressError(field, `${quoted(text)} is not a valid ${prefix} key`)
    return address
  }
  const found = [...readings.values()].map((read) => read(text)).filter((address) => address !== undefined)
  const [first, second] = found
  if (first === undefined) {
    throw new AddressError(field, `${quoted(text)} is not an ed25519 (base58) or BLS12-381 (base58 or 0x hex) address`)
  }
  if (second !== undefined) {
    throw new AddressError(field, `${quoted(text)} can be read as two keys; write ed25519:${text} or legacy:${text}`)
  }
  return first
}

/** The shortest text that reads back as this address: plain base58, prefixed only where that would be ambiguous. */
export function formatAddress(address: Address): string {
  const text = base58btc.baseEncode(address.key)
  if (address.type === 'ed25519' && readLegacy(text) !== undefined) return `ed25519:${text}`
  return text
}

/** The legacy spelling of an ed25519 address, with its prefix (so that it always works). */
export function formatLegacy(address: Address): string {
  if (address.type !== 'ed25519') throw new AddressError('address', 'only ed25519 keys have a legacy form')
  return `legacy:${base58btc.baseEncode(Uint8Array.of(...SPKI_HEADER, ...address.key)).slice(LEGACY_PREFIX.length)}`
}

/** libp2p's bytes of the peer whose key this is. */
export function peerIdBytes(address: Address): Uint8Array {
  if (address.type !== 'ed25519') throw new AddressError('address', 'only ed25519 keys are peer ids')
  return Uint8Array.of(...PEER_ID_HEADER, ...address.key)
}

/** The same as text. */
export function peerIdOf(address: Address): string {
  return base58btc.baseEncode(peerIdBytes(address))
}

export function addressOfPeerId(peerId: string, field = 'peer id'): Address {
  const bytes = fromBase58(peerId)
  if (bytes?.byteLength !== 38 || !equals(bytes.subarray(0, 6), PEER_ID_HEADER)) {
    throw new AddressError(field, `${quoted(peerId)} is not the peer id of an ed25519 key (12D3KooW...)`)
  }
  return { type: 'ed25519', key: bytes.slice(6) }
}

function readModern(text: string): Address | undefined {
  return validOf('ed25519', fromBase58(text), 32)
}

function readLegacy(text: string): Address | undefined {
  const der = fromBase58(LEGACY_PREFIX + text)
  if (der?.byteLength !== 44 || !equals(der.subarray(0, 12), SPKI_HEADER)) return undefined
  return validOf('ed25519', der.slice(12), 32)
}

function readBls(text: string): Address | undefined {
  const bytes = /^0x[0-9a-fA-F]{96}$/.test(text) ? Uint8Array.from(Buffer.from(text.slice(2), 'hex')) : fromBase58(text)
  return validOf('bls12-381', bytes, 48)
}

function validOf(type: KeyType, key: Uint8Array | undefined, length: number): Address | undefined {
  if (key?.byteLength !== length) return undefined
  const address = { type, key }
  return isValidKey(address) ? address : undefined
}

/** The library reads a character above U+00FF as a digit of its own: its alphabet is checked here. */
const BASE58 = /^[1-9A-HJ-NP-Za-km-z]*$/

function fromBase58(text: string): Uint8Array | undefined {
  // base58 takes quadratic time: nothing longer than the longest address is worth decoding
  if (text.length > MAX_ADDRESS_TEXT_LENGTH || !BASE58.test(text)) return undefined
  return base58btc.baseDecode(text)
}

function splitPrefix(text: string): [string | undefined, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [undefined, text] : [text.slice(0, colon), text.slice(colon + 1)]
}
