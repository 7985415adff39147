import { MAX_BYTES, tooLarge, tooManyFiles } from './archive-limits.ts'
import type { PackFile } from './tar.ts'

const END = 0x06054b50
const ENTRY = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const [STORED, DEFLATED] = [0, 8]
const UNIX_LINK = 0o120000
const UNIX_KIND = 0o170000
/** The list of files; 20,000 with paths of 1,024 bytes would have 21 MB. */
const MAX_LIST_BYTES = 32 * 1024 * 1024
const LARGE = 0xffff_ffff
const decoder = new TextDecoder('utf-8', { fatal: true })

type Entry = {
  readonly path: string
  readonly method: number
  readonly packed: number
  readonly size: number
  readonly crc: number
  readonly at: number
}

export async function isZip(archive: Blob): Promise<boolean> {
  const start = await viewOf(archive, 0, Math.min(4, archive.size))
  return start.byteLength === 4 && (start.getUint32(0, true) === LOCAL || start.getUint32(0, true) === END)
}

/** The regular files of a zip. No more is unpacked than its list says, and what it says is compared. */
export async function unzip(archive: Blob, maxFiles: number): Promise<PackFile[]> {
  const entries = await listOf(archive, maxFiles)
  const files: PackFile[] = []
  for (const entry of entries) files.push({ path: entry.path, data: await contentOf(archive, entry) })
  return files
}

async function listOf(archive: Blob, maxFiles: number): Promise<Entry[]> {
  const { count, bytes, at } = await endOf(archive)
  if (count === 0xffff || at === LARGE)
    throw new Error('This zip is in the form for very large ones; pack it as .tar.gz.')
  if (bytes > MAX_LIST_BYTES || at + bytes > archive.size) throw damaged()
  const list = await viewOf(archive, at, bytes)
  const entries: Entry[] = []
  let [from, total] = [0, 0]
  for (let index = 0; index < count; index++) {
    if (from + ENTRY_BYTES > list.byteLength || list.getUint32(from, true) !== ENTRY) throw damaged()
    const [names, extra, comment] = [28, 30, 32].map((field) => list.getUint16(from + field, true)) as [
      number,
      number,
      number,
    ]
    if (from + ENTRY_BYTES + names > list.byteLength) throw damaged()
    const path = textOf(new Uint8Array(list.buffer, list.byteOffset + from + ENTRY_BYTES, names))
    const size = list.getUint32(from + 24, true)
    const kind = (list.getUint32(from + 38, true) >>> 16) & UNIX_KIND
    if (kind === UNIX_LINK) throw new Error(`The archive holds a link, "${path}"; publish it with the command line.`)
    if ((list.getUint16(from + 8, true) & 1) !== 0)
      throw new Error('The archive is encrypted; pack it without a password.')
    total += size
    if (total > MAX_BYTES) throw tooLarge()
    if (!path.endsWith('/')) {
      entries.push({
        path,
        size,
        method: list.getUint16(from + 10, true),
        crc: list.getUint32(from + 16, true),
        packed: list.getUint32(from + 20, true),
        at: list.getUint32(from + 42, true),
      })
    }
    if (entries.length > maxFiles) throw tooManyFiles(maxFiles)
    from += ENTRY_BYTES + names + extra + comment
  }
  return entries
}

/** It stands at the end, before a comment. */
async function endOf(archive: Blob): Promise<{ count: number; bytes: number; at: number }> {
  const length = Math.min(archive.size, END_BYTES + MAX_COMMENT_BYTES)
  const tail = await viewOf(archive, archive.size - length, length)
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || tail.getUint16(at + 20, true) !== length - at - END_BYTES) continue
    return {
      count: tail.getUint16(at + 10, true),
      bytes: tail.getUint32(at + 12, true),
      at: tail.getUint32(at + 16, true),
    }
  }
  throw damaged()
}

async function contentOf(archive: Blob, { path, method, packed, size, crc, at }: Entry): Promise<Blob> {
  const head = await viewOf(archive, at, LOCAL_BYTES)
  if (head.byteLength < LOCAL_BYTES || head.getUint32(0, true) !== LOCAL) throw damaged()
  const from = at + LOCAL_BYTES + head.getUint16(26, true) + head.getUint16(28, true)
  const body = archive.slice(from, from + packed)
  if (body.size < packed) throw damaged()
  if (method !== STORED && method !== DEFLATED) {
    throw new Error(`"${path}" is compressed in a way that browsers do not unpack; pack it as .tar.gz.`)
  }
  const stream = method === STORED ? body.stream() : body.stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  let sum = ~0
  try {
    const reader = stream.getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      bytes += piece.value.byteLength
      // what unpacks to more than it says is not unpacked to its end
      if (bytes > size) throw damaged()
      sum = crc32(sum, piece.value)
      pieces.push(piece.value)
    }
  } catch {
    throw damaged()
  }
  if (bytes !== size || ~sum >>> 0 !== crc) throw damaged()
  return new Blob(pieces)
}

async function viewOf(archive: Blob, from: number, length: number): Promise<DataView> {
  return new DataView(await archive.slice(from, from + length).arrayBuffer())
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Error('A path in the archive is no UTF-8 text; pack it as .tar.gz.')
  }
}

function damaged(): Error {
  return new Error('This is no zip archive, or a damaged one.')
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(before: number, bytes: Uint8Array): number {
  let sum = before
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8)
  return sum
}
