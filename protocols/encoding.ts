import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { compare, equals } from 'uint8arrays'
import { ProtocolError } from './errors.ts'

const SHA2_256 = 0x12
const RAW = 0x55
const DAG_CBOR = 0x71

export type { CID }

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return plain(hash.digest())
}

/** dag-cbor, canonical. Throws a ProtocolError for what the wire has no form for (floats, undefined, 2^53 and above). */
export function encodeCanonical(value: unknown): Uint8Array {
  checkNumbers(value, '')
  try {
    return plain(dagCbor.encode(value))
  } catch (cause) {
    throw new ProtocolError('', `can not be encoded as dag-cbor: ${messageOf(cause)}`, { cause })
  }
}

/** The value of canonical dag-cbor bytes. Bytes that would be spelled differently when encoded again are refused. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = dagCbor.decode(bytes)
  } catch (cause) {
    throw new ProtocolError('', `is not dag-cbor: ${messageOf(cause)}`, { cause })
  }
  checkNumbers(value, '')
  if (!equals(dagCbor.encode(value), bytes)) throw new ProtocolError('', 'is not canonical dag-cbor')
  return value
}

/** DAG-JSON: the same values for people, HTTP and files. Bytes are `{"/":{"bytes":"..."}}`, CIDs `{"/":"b..."}`. */
export function toDagJson(value: unknown): string {
  return dagJson.stringify(value)
}

export function fromDagJson(text: string): unknown {
  try {
    return dagJson.parse(text)
  } catch (cause) {
    throw new ProtocolError('', `is not DAG-JSON: ${messageOf(cause)}`, { cause })
  }
}

/** The name of a structure: CIDv1, dag-cbor, sha2-256 over its canonical bytes. */
export function cidOfStructure(bytes: Uint8Array): CID {
  return CID.createV1(DAG_CBOR, Digest.create(SHA2_256, sha256(bytes)))
}

/** The name of plain bytes: CIDv1, raw, sha2-256. */
export function cidOfBytes(bytes: Uint8Array): CID {
  return cidOfDigest(sha256(bytes))
}

/** The name of plain bytes (or of an OCI image) whose sha2-256 is known already. */
export function cidOfDigest(digest: Uint8Array): CID {
  return CID.createV1(RAW, Digest.create(SHA2_256, digest))
}

/** A CID of the kinds that the wire uses: version 1, raw or dag-cbor, sha2-256. */
export function isWireCid(value: unknown): value is CID {
  const cid = CID.asCID(value)
  return (
    cid !== null &&
    cid.version === 1 &&
    (cid.code === RAW || cid.code === DAG_CBOR) &&
    cid.multihash.code === SHA2_256 &&
    cid.multihash.digest.byteLength === 32
  )
}

/** Reads a CID as people write it (base32 text); throws a ProtocolError that names `field`. */
export function parseCid(text: string, field = ''): CID {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new ProtocolError(field, `"${text.slice(0, 80)}" is not a content id (bafy... or bafk...)`, { cause })
  }
  if (!isWireCid(cid)) throw new ProtocolError(field, 'must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')
  return cid
}

/** Lower-case base32 without prefix, as DHT keys carry it. */
export function toBase32(bytes: Uint8Array): string {
  return base32.baseEncode(bytes)
}

/** Order of raw bytes; smaller first. Settles every tie on the wire. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compare(a, b)
}

/** What a signature of `kind` covers in `network`: nothing signed for one network or kind is valid in another. */
export function signedBytes(network: string, kind: string, body: Uint8Array): Uint8Array {
  const prefix = new TextEncoder().encode(`thundercloud/${network}/${kind}/1`)
  const bytes = new Uint8Array(prefix.byteLength + 1 + body.byteLength)
  bytes.set(prefix, 0)
  bytes.set(body, prefix.byteLength + 1)
  return bytes
}

function checkNumbers(value: unknown, field: string): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new ProtocolError(field, 'numbers are whole and below 2^53')
    }
  } else if (typeof value === 'bigint') {
    throw new ProtocolError(field, 'numbers are whole and below 2^53')
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkNumbers(item, `${field}[${index}]`)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && CID.asCID(value) === null) {
    for (const [key, item] of Object.entries(value)) checkNumbers(item, field === '' ? key : `${field}.${key}`)
  }
}

/** A Buffer is a view with habits of its own; the wire hands out bare bytes. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
