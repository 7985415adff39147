import { createHash, hash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { compare } from 'uint8arrays'
import { readCanonical } from './cbor.ts'
import { readDagJson } from './dag-json.ts'
import { EncodingError, fieldPath, ProtocolError, quoted } from './errors.ts'
import { MAX_NESTING } from './limits.ts'

const SHA2_256 = 0x12
const RAW = 0x55
const DAG_CBOR = 0x71

export type { CID }

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return plain(hash('sha256', only, 'buffer'))
  const all = createHash('sha256')
  for (const part of parts) all.update(part)
  return plain(all.digest())
}

/** dag-cbor, canonical. Throws an EncodingError for what the wire has no form for (floats, 2^53 and above); entries that are undefined are left out. */
export function encodeCanonical(value: unknown): Uint8Array {
  return plain(dagCbor.encode(encodable(value, [])))
}

/** The value of canonical dag-cbor bytes; bytes in any other spelling are refused with an EncodingError. */
export function decodeCanonical(bytes: Uint8Array, field = ''): unknown {
  return readCanonical(bytes, field)
}

/** DAG-JSON: the same values for people, HTTP and files. Bytes are `{"/":{"bytes":"..."}}`, CIDs `{"/":"b..."}`. */
export function toDagJson(value: unknown): string {
  return dagJson.stringify(value)
}

/** Reads DAG-JSON; throws an EncodingError that names the field for what has no form on the wire, or more than one reading. */
export function fromDagJson(text: string): unknown {
  return readDagJson(text)
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

/** Is it the name of a structure? Ids of services, stops and statements are; a raw CID names bytes or an image. */
export function isStructureCid(value: unknown): value is CID {
  return isWireCid(value) && value.code === DAG_CBOR
}

/** Reads a CID as people write it (base32 text); throws a ProtocolError that names `field`. */
export function parseCid(text: string, field = ''): CID {
  let cid: CID
  try {
    cid = CID.parse(text)
    // made from the bytes: what was parsed keeps the text that it came from, and one id would be two keys
    if (base32.encode(cid.bytes) !== text) throw new TypeError('it is not in lower-case base32')
  } catch (cause) {
    throw new ProtocolError(field, `${quoted(text)} is not a content id (bafy... or bafk...)`, { cause })
  }
  if (!isWireCid(cid)) throw new ProtocolError(field, 'must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')
  return cid
}

/** Lower-case base32 without prefix, as DHT keys carry it. */
export function toBase32(bytes: Uint8Array): string {
  return base32.baseEncode(bytes)
}

/** Does a service's `code` name an OCI image? Its manifest is plain bytes; an archive's is a structure. */
export function isImageCid(code: CID): boolean {
  return code.code === RAW
}

/** Order of raw bytes; smaller first. Settles every tie on the wire. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compare(a, b)
}

/** Refuses what dag-cbor would write silently (half a surrogate pair, -0) or in a form that no peer reads. */
function encodable(value: unknown, path: (string | number)[]): unknown {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value
      throw new EncodingError(fieldPath(path), 'numbers are whole and below 2^53')
    case 'string':
      if (value.isWellFormed()) return value
      throw new EncodingError(fieldPath(path), 'is text with half a surrogate pair, which UTF-8 has no form for')
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
      if (CID.asCID(value) === null) return encodableEntries(value, path)
      if (isWireCid(value)) return value
      throw new EncodingError(fieldPath(path), 'must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')
    default:
      throw new EncodingError(fieldPath(path), `a value of type ${typeof value} has no form on the wire`)
  }
}

function encodableEntries(value: object, path: (string | number)[]): unknown {
  if (path.length >= MAX_NESTING) throw new EncodingError(fieldPath(path), `nests deeper than ${MAX_NESTING}`)
  if (Array.isArray(value)) return value.map((item, index) => encodableAt(item, index, path))
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new EncodingError(fieldPath(path), 'is neither a plain object nor a list')
  }
  const entries: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    if (key === '__proto__' || key === '/' || !key.isWellFormed()) {
      throw new EncodingError(fieldPath([...path, key]), 'is no map key that the wire allows')
    }
    entries[key] = encodableAt(item, key, path)
  }
  return entries
}

function encodableAt(item: unknown, key: string | number, path: (string | number)[]): unknown {
  path.push(key)
  const value = encodable(item, path)
  path.pop()
  return value
}

/** A Buffer is a view with habits of its own; the wire hands out bare bytes. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
