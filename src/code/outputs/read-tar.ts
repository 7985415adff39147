// Ours, not a library: the library reads names as text, so that one name which is none makes the whole tar unreadable.

import { isUtf8 } from 'node:buffer'
import { paddedSize } from '../archive/tar-format.ts'
import { BadArchiveError } from '../errors.ts'
import { createByteReader } from './byte-reader.ts'

const BLOCK = 512
/** A path and a target that stand outside of a header. */
const MAX_META_BYTES = 64 * 1024
const FILE_TYPES = ['0', '\0', '7']

/** `path`: undefined where it is not UTF-8. */
export type LeftEntry = {
  readonly path: string | undefined
  readonly kind: 'file' | 'folder' | 'link' | 'hard-link' | 'other'
  /** of a hard link: the path of the file that came before */
  readonly target: string | undefined
}

export interface LeftSink {
  entry(entry: LeftEntry): void
  /** of the last entry, where it is a file */
  data(piece: Uint8Array): void
}

type Overrides = { path?: Buffer; target?: Buffer; size?: number }

/** Reads a tar as Go and other programs write it: ustar, with pax records or GNU's long names. Throws BadArchiveError. */
export async function readLeftTar(pieces: AsyncIterable<Uint8Array>, sink: LeftSink): Promise<void> {
  const reader = createByteReader(pieces)
  let next: Overrides = {}

  async function content(size: number, onData?: (piece: Buffer) => void): Promise<void> {
    for (let missing = size; missing > 0; ) {
      const piece = await reader.some(missing)
      missing -= piece.byteLength
      onData?.(piece)
    }
    const padding = paddedSize(size) - size
    if (padding > 0 && (await reader.take(padding)) === undefined) throw new BadArchiveError('the tar is cut')
  }

  async function meta(size: number): Promise<Buffer> {
    if (size > MAX_META_BYTES) throw new BadArchiveError('the tar has a name that is longer than any')
    const parts: Buffer[] = []
    await content(size, (piece) => void parts.push(piece))
    return Buffer.concat(parts)
  }

  for (;;) {
    const header = await reader.take(BLOCK)
    if (header === undefined) throw new BadArchiveError('the tar is cut')
    if (header.every((byte) => byte === 0)) return reader.drain()
    checkSum(header)
    const type = String.fromCharCode(header[156] ?? 0)
    const size = sizeOf(header)
    if (type === 'x') next = { ...next, ...recordsOf(await meta(size)) }
    else if (type === 'L') next = { ...next, path: untilZero(await meta(size)) }
    else if (type === 'K') next = { ...next, target: untilZero(await meta(size)) }
    else if (type === 'g') await content(size)
    else {
      const entry = entryOf(header, type, next)
      const length = next.size ?? size
      next = {}
      sink.entry(entry)
      await content(length, entry.kind === 'file' ? sink.data : undefined)
    }
  }
}

function entryOf(header: Buffer, type: string, { path = nameOf(header), target }: Overrides): LeftEntry {
  const name = textOf(path)
  const to = textOf(target ?? untilZero(header.subarray(157, 257)))
  // before POSIX a folder was a file with such a name
  if (type === '5' || (FILE_TYPES.includes(type) && name?.endsWith('/'))) {
    return { path: name?.replace(/\/+$/, ''), kind: 'folder', target: undefined }
  }
  if (FILE_TYPES.includes(type)) return { path: name, kind: 'file', target: undefined }
  if (type === '1') return { path: name, kind: 'hard-link', target: to }
  return { path: name, kind: type === '2' ? 'link' : 'other', target: undefined }
}

/** Without the `./` before it. */
function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString().replace(/^(\.\/)+/, '') : undefined
}

function nameOf(header: Buffer): Buffer {
  const name = untilZero(header.subarray(0, 100))
  const prefix =
    header.toString('latin1', 257, 263) === 'ustar\0' ? untilZero(header.subarray(345, 500)) : Buffer.alloc(0)
  return prefix.byteLength === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** Octal, or GNU's binary form where the first bit is set. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136)
  const isBinary = ((field[0] ?? 0) & 0x80) !== 0
  const size = isBinary
    ? Number(BigInt(`0x${field.subarray(1).toString('hex')}`))
    : Number.parseInt(untilZero(field).toString('latin1').trim() || '0', 8)
  if (!Number.isSafeInteger(size) || size < 0) throw new BadArchiveError('the tar has an entry without a size')
  return size
}

function checkSum(header: Buffer): void {
  const said = Number.parseInt(untilZero(header.subarray(148, 156)).toString('latin1').trim(), 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (said !== sum) throw new BadArchiveError('what came is not a tar')
}

/** Records of pax, `<length> <key>=<value>` and a line feed, by their bytes: a name may hold a line feed itself. */
function recordsOf(bytes: Buffer): Overrides {
  const found: Overrides = {}
  for (let at = 0; at < bytes.byteLength; ) {
    const space = bytes.indexOf(' ', at)
    const length = Number(bytes.toString('latin1', at, space))
    const record = bytes.subarray(space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (space < 0 || !(length > space - at + 2) || at + length > bytes.byteLength || equals < 0) {
      throw new BadArchiveError('the tar has a pax record that cannot be read')
    }
    const [key, value] = [record.toString('latin1', 0, equals), record.subarray(equals + 1)]
    if (key.startsWith('GNU.sparse.')) throw new BadArchiveError('the tar holds a file with holes (GNU sparse)')
    if (key === 'path') found.path = value
    if (key === 'linkpath') found.target = value
    if (key === 'size') found.size = Number(value.toString('latin1'))
    at += length
  }
  if (found.size !== undefined && !(Number.isSafeInteger(found.size) && found.size >= 0)) {
    throw new BadArchiveError('the tar has an entry without a size')
  }
  return found
}
