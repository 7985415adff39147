import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { formatBytes, formatCount } from '../../../../base/format.ts'
import { TooLargeError } from '../../../errors.ts'
import { UnusableSourceError } from '../errors.ts'
import { applyDelta } from './delta.ts'

/** One object in memory: what servers of git take for a file at most. */
const MAX_OBJECT_BYTES = 100 * 1024 * 1024
/** Objects that deltas were applied to, which others are likely to need, too. */
const CACHE_BYTES = 32 * 1024 * 1024
/** A delta of a delta of a delta: git makes 50, and 4095 where it is asked to. */
const MAX_CHAIN = 4096
const HEADER_BYTES = 12
const TRAILER_BYTES = 20
/** The longest header of an object: its size, and how far away its base is. */
const ENTRY_HEADER_BYTES = 40
const TYPES = ['', 'commit', 'tree', 'blob', 'tag', '', 'offset', 'reference'] as const

export type GitObject = { readonly type: string; readonly content: Buffer }

/** What a pack holds, by object id. Dispose it to remove its file. */
export interface PackFile extends Disposable {
  /** Throws UnusableSourceError where the pack does not have it. */
  read(id: string): GitObject
  /** Of all objects. */
  ids(): Iterable<string>
}

/** `maxBytes`: of all objects together, unpacked. Each is counted when it is found, and when it is identified. */
export type PackLimits = { readonly maxObjects: number; readonly maxBytes: number }

type Entry = { readonly type: string; readonly at: number; readonly size: number; readonly base?: number | string }

/**
 * Writes a pack (version 2, of git's `gitformat-pack`) into the file `name` and finds what is in it. Ids are made of what the
 * objects hold, so an object is what its id says. One object is in memory at a time, with its base. Throws UnusableSourceError or TooLargeError.
 */
export async function openPack(name: string, pieces: AsyncIterable<Uint8Array>, limits: PackLimits): Promise<PackFile> {
  const fd = openSync(name, 'wx+', 0o600)
  const remove = () => {
    closeSync(fd)
    rmSync(name)
  }
  try {
    const length = await writeChecked(fd, pieces)
    return { ...indexed(fd, length, limits), [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** The pack ends with the SHA-1 of all before. Answers how long that is. */
async function writeChecked(fd: number, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const hash = createHash('sha1')
  let tail = Buffer.alloc(0)
  let length = 0
  for await (const piece of pieces) {
    for (let done = 0; done < piece.byteLength; ) done += writeSync(fd, piece, done)
    const both = Buffer.concat([tail, piece])
    const split = Math.max(0, both.byteLength - TRAILER_BYTES)
    hash.update(both.subarray(0, split))
    tail = both.subarray(split)
    length += split
  }
  if (tail.byteLength === TRAILER_BYTES && hash.digest().equals(tail)) return length
  throw unreadable('its checksum is another')
}

function indexed(fd: number, end: number, { maxObjects, maxBytes }: PackLimits): Pick<PackFile, 'read' | 'ids'> {
  const entries = new Map<number, Entry>()
  const ids = new Map<string, number>()
  const cache = new Map<number, GitObject>()
  let cached = 0
  let unpacked = 0

  const objects = objectCount(fd)
  if (objects > maxObjects) {
    throw new TooLargeError(
      `the pack of the commit has ${formatCount(objects)} objects; at most ${formatCount(maxObjects)} are allowed`,
    )
  }
  let at = HEADER_BYTES
  for (let left = objects; left > 0; left--) {
    const entry = readHeader(fd, at, end)
    count(entry.size)
    entries.set(at, entry)
    at = entry.at + inflate(fd, entry, end).consumed
  }
  if (at !== end) throw unreadable('it holds more than its objects')
  // an object may be based on one that comes later, by its id: such a one waits for the next turn
  let waiting = [...entries.keys()]
  while (waiting.length > 0) {
    const rest = waiting.filter((offset) => !identify(offset))
    if (rest.length === waiting.length) throw unreadable('an object is based on one that is not there')
    waiting = rest
  }

  function count(bytes: number): void {
    unpacked += bytes
    if (unpacked > 2 * maxBytes) {
      throw new TooLargeError(
        `the pack of the commit has objects of more than the ${formatBytes(maxBytes)} that are allowed`,
      )
    }
  }

  function identify(offset: number): boolean {
    if (!isResolvable(offset)) return false
    const { type, content } = objectAt(offset)
    count(content.byteLength)
    ids.set(createHash('sha1').update(`${type} ${content.byteLength}\0`).update(content).digest('hex'), offset)
    return true
  }

  function isResolvable(offset: number): boolean {
    const { base } = entries.get(offset) as Entry
    return typeof base !== 'string' || ids.has(base)
  }

  function objectAt(offset: number): GitObject {
    const deltas: Buffer[] = []
    for (let here = offset; ; ) {
      const known = cache.get(here)
      const entry = entries.get(here)
      if (entry === undefined || deltas.length > MAX_CHAIN) throw unreadable('an object is based on none')
      const content = known === undefined ? inflate(fd, entry, end).content : known.content
      if (known === undefined && entry.base !== undefined) {
        deltas.push(content)
        here = typeof entry.base === 'string' ? (ids.get(entry.base) ?? -1) : entry.base
        continue
      }
      const found = {
        type: known?.type ?? entry.type,
        content: deltas.reduceRight<Buffer>((base, delta) => applyDelta(base, delta, MAX_OBJECT_BYTES), content),
      }
      keep(offset, found)
      return found
    }
  }

  function keep(offset: number, object: GitObject): void {
    const size = object.content.byteLength
    if (cache.has(offset) || size > CACHE_BYTES / 4) return
    cache.set(offset, object)
    cached += size
    for (const [oldest, { content }] of cache) {
      if (cached <= CACHE_BYTES) return
      cache.delete(oldest)
      cached -= content.byteLength
    }
  }

  return {
    read(id) {
      const offset = ids.get(id)
      if (offset === undefined) throw unreadable(`it has no object ${id.slice(0, 40)}`)
      return objectAt(offset)
    },
    ids: () => ids.keys(),
  }
}

function objectCount(fd: number): number {
  const header = bytesAt(fd, 0, HEADER_BYTES)
  if (header.toString('latin1', 0, 4) !== 'PACK' || header.readUInt32BE(4) !== 2)
    throw unreadable('it is none of version 2')
  return header.readUInt32BE(8)
}

/** Type and size in groups of four and seven bits; then, of a delta, what it is based on. */
function readHeader(fd: number, offset: number, end: number): Entry {
  const bytes = bytesAt(fd, offset, Math.min(ENTRY_HEADER_BYTES, end - offset))
  let index = 0
  const next = () => {
    const byte = bytes[index++]
    if (byte === undefined) throw unreadable('an object has no end')
    return byte
  }
  let byte = next()
  const type = TYPES[(byte >> 4) & 7] as string
  let size = byte & 15
  for (let factor = 16; byte >= 128; factor *= 128) {
    byte = next()
    size += (byte & 127) * factor
  }
  if (type === '') throw unreadable('an object is of no type')
  if (size > MAX_OBJECT_BYTES) throw objectTooLarge(size)
  if (type === 'reference') {
    const base = Buffer.from(Array.from({ length: TRAILER_BYTES }, next)).toString('hex')
    return { type, size, base, at: offset + index }
  }
  if (type !== 'offset') return { type, size, at: offset + index }
  byte = next()
  let distance = byte & 127
  while (byte >= 128) {
    byte = next()
    distance = (distance + 1) * 128 + (byte & 127)
  }
  // always back, so that no chain is a circle
  if (distance < 1 || distance > offset) throw unreadable('an object is based on none')
  return { type, size, base: offset - distance, at: offset + index }
}

function inflate(fd: number, { at, size }: Entry, end: number): { content: Buffer; consumed: number } {
  // what zlib makes of bytes that it cannot compress, with room for its frame
  const most = size + Math.ceil(size / 1000) + 64
  const packed = bytesAt(fd, at, Math.min(most, end - at))
  try {
    const { buffer, engine } = inflateSync(packed, { maxOutputLength: Math.max(1, size), info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    if (buffer.byteLength === size) return { content: buffer, consumed: engine.bytesWritten }
  } catch {
    // the same as a wrong length: it is not what its header says
  }
  throw unreadable('an object is not what its header says')
}

function bytesAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length))
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.byteLength, offset))
}

function objectTooLarge(size: number): TooLargeError {
  return new TooLargeError(
    `the pack of the commit has a file of ${formatBytes(size)}; of git at most ${formatBytes(MAX_OBJECT_BYTES)} are read`,
  )
}

export function unreadable(why: string): UnusableSourceError {
  return new UnusableSourceError(`the pack of the commit cannot be read: ${why}`)
}
