// Ours, not a library: signatures are over bytes, so a reader must refuse every other encoding, and its input is untrusted.

import { CID } from 'multiformats/cid'
import { Digest } from 'multiformats/hashes/digest'
import { EncodingError } from './errors.ts'
import { MAX_NESTING } from './limits.ts'

const UINT = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6

const CID_TAG = 42
/** 0x00, then the CID: version, codec, sha2-256, 32, the digest. */
const CID_BYTES = 37
const RAW = 0x55
const DAG_CBOR = 0x71
const SHA2_256 = 0x12

const SHORT_TEXT = 24

/** Keeps a leading U+FEFF (it is part of the text) and throws on invalid UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads canonical dag-cbor in one pass. Each rule of canonical form is checked where it can be broken, so that every
 * value has exactly one spelling that gets through and nothing has to be encoded again to find out.
 */
export function readCanonical(bytes: Uint8Array, field = ''): unknown {
  const reader = new Reader(bytes, field)
  const value = reader.value(0)
  if (reader.position !== bytes.byteLength) throw reader.broken('bytes follow after the end of the value')
  return value
}

class Reader {
  readonly bytes: Buffer
  readonly field: string
  position = 0

  constructor(bytes: Uint8Array, field: string) {
    this.field = field
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  broken(problem: string): EncodingError {
    return new EncodingError(this.field, `is not canonical dag-cbor: ${problem} (at byte ${this.position})`)
  }

  value(depth: number): unknown {
    const initial = this.byte()
    switch (initial) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
    }
    const minor = initial & 31
    switch (initial >> 5) {
      case UINT:
        return this.argument(minor)
      case NEGATIVE:
        return this.negative(minor)
      case BYTES:
        return this.copy(this.span(minor))
      case TEXT:
        return this.text(this.span(minor))
      case ARRAY:
        return this.array(minor, depth + 1)
      case MAP:
        return this.map(minor, depth + 1)
      case TAG:
        return this.link(minor)
      default:
        throw this.broken('floats, undefined and simple values other than false, true and null are not allowed')
    }
  }

  private byte(): number {
    const byte = this.bytes[this.position]
    if (byte === undefined) throw this.broken('it ends too early')
    this.position++
    return byte
  }

  /** The number in a head: shortest form, below 2^53. */
  private argument(minor: number): number {
    if (minor < 24) return minor
    if (minor > 27) throw this.broken('indefinite lengths and reserved heads are not allowed')
    const length = 1 << (minor - 24)
    const at = this.position
    if (at + length > this.bytes.byteLength) throw this.broken('it ends too early')
    this.position += length
    const value =
      length === 8
        ? this.bytes.readUInt32BE(at) * 2 ** 32 + this.bytes.readUInt32BE(at + 4)
        : this.bytes.readUIntBE(at, length)
    if (value < (SHORTEST[length] as number)) throw this.broken('a number or length is not in its shortest form')
    if (value > Number.MAX_SAFE_INTEGER) throw this.broken('numbers must be below 2^53')
    return value
  }

  private negative(minor: number): number {
    const value = -1 - this.argument(minor)
    if (!Number.isSafeInteger(value)) throw this.broken('numbers must be below 2^53')
    return value
  }

  /** Steps over the bytes that a head announces and says where they begin. */
  private span(minor: number): number {
    const length = this.argument(minor)
    const start = this.position
    if (length > this.bytes.byteLength - start) throw this.broken('it ends too early')
    this.position += length
    return start
  }

  /** The text between `start` and the position. Short ASCII, as keys and words are, is cheapest put together by hand. */
  private text(start: number): string {
    const end = this.position
    let short = ''
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at] as number
      if (byte >= 0x80) return this.wideText(start, end)
      if (at - start < SHORT_TEXT) short += String.fromCharCode(byte)
    }
    return end - start <= SHORT_TEXT ? short : this.bytes.toString('latin1', start, end)
  }

  private wideText(start: number, end: number): string {
    try {
      return utf8.decode(this.bytes.subarray(start, end))
    } catch {
      throw this.broken('text is not valid UTF-8')
    }
  }

  private array(minor: number, depth: number): unknown[] {
    const length = this.count(minor, depth)
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(this.value(depth))
    return items
  }

  private map(minor: number, depth: number): Record<string, unknown> {
    const length = this.count(minor, depth)
    const map: Record<string, unknown> = {}
    let previousStart = 0
    let previousEnd = 0
    for (let index = 0; index < length; index++) {
      const head = this.byte()
      if (head >> 5 !== TEXT) throw this.broken('map keys must be text')
      const start = this.span(head & 31)
      if (index > 0 && !this.comesAfter(start, previousStart, previousEnd)) {
        throw this.broken('map keys must be sorted, shorter ones first, and must not repeat')
      }
      previousStart = start
      previousEnd = this.position
      const key = this.text(start)
      if (key === '__proto__' || key === '/') throw this.broken(`the map key "${key}" is not allowed`)
      map[key] = this.value(depth)
    }
    return map
  }

  /** Is the key from `start` to the position greater than the one before it? */
  private comesAfter(start: number, previousStart: number, previousEnd: number): boolean {
    const length = this.position - start
    const previousLength = previousEnd - previousStart
    if (length !== previousLength) return length > previousLength
    for (let at = 0; at < length; at++) {
      const difference = (this.bytes[start + at] as number) - (this.bytes[previousStart + at] as number)
      if (difference !== 0) return difference > 0
    }
    return false
  }

  /** Entries that a head announces. A lie costs nothing: the first entry that is not there ends the reading. */
  private count(minor: number, depth: number): number {
    if (depth > MAX_NESTING) throw this.broken(`arrays and maps nest deeper than ${MAX_NESTING}`)
    return this.argument(minor)
  }

  /** The only links on the wire: CIDv1, raw or dag-cbor, sha2-256. All their varints are single bytes. */
  private link(minor: number): CID {
    if (this.argument(minor) !== CID_TAG) throw this.broken('the only tag is 42')
    const head = this.byte()
    if (head >> 5 !== BYTES) throw this.broken('tag 42 must hold bytes')
    const cid = this.copy(this.span(head & 31))
    const codec = cid[2]
    if (
      cid.byteLength !== CID_BYTES ||
      cid[0] !== 0 ||
      cid[1] !== 1 ||
      (codec !== RAW && codec !== DAG_CBOR) ||
      cid[3] !== SHA2_256 ||
      cid[4] !== 32
    ) {
      throw this.broken('a link must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')
    }
    return new CID(1, codec, new Digest(SHA2_256, 32, cid.subarray(5), cid.subarray(3)), cid.subarray(1))
  }

  /** What a caller keeps must not change, nor keep the whole message in memory. */
  private copy(start: number): Uint8Array {
    const bytes = new Uint8Array(this.position - start)
    this.bytes.copy(bytes, 0, start, this.position)
    return bytes
  }
}

/** By bytes that follow the head: the smallest number that needs so many. */
const SHORTEST: Record<number, number> = { 1: 24, 2: 2 ** 8, 4: 2 ** 16, 8: 2 ** 32 }
