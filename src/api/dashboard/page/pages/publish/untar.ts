import { MAX_BYTES, tooLarge, tooManyFiles } from './archive-limits.ts'
import type { PackFile } from './tar.ts'

const BLOCK = 512
/** The text of a long path, at most; the node takes 1024 bytes of path. */
const MAX_PAX_BYTES = 64 * 1024
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The regular files of a tar, also a compressed one. Their content stays where it is: a Blob is a part of the file. */
export async function unpackTar(archive: Blob, maxFiles: number, maxBytes = MAX_BYTES): Promise<PackFile[]> {
  const start = new Uint8Array(await archive.slice(0, 2).arrayBuffer())
  const tar = start[0] === 0x1f && start[1] === 0x8b ? await gunzip(archive, maxBytes) : archive
  const files: PackFile[] = []
  let longPath: string | undefined
  for (let at = 0; at + BLOCK <= tar.size; ) {
    const head = new Uint8Array(await tar.slice(at, at + BLOCK).arrayBuffer())
    if (head.every((byte) => byte === 0)) break
    if (ascii(head, 257, 5) !== 'ustar') throw new Error('This is no tar archive: a header of it is not "ustar".')
    const size = sizeOf(head)
    const body = tar.slice(at + BLOCK, at + BLOCK + size)
    if (body.size < size) throw new Error('The archive ends in the middle of a file.')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const type = ascii(head, 156, 1)
    if (type === 'x' || type === 'L') {
      if (size > MAX_PAX_BYTES) throw new Error('A path of the archive is too long.')
      const value = new Uint8Array(await body.arrayBuffer())
      longPath = type === 'L' ? textOf(field(value, 0, size)) : (pathOf(value) ?? longPath)
      continue
    }
    const path = longPath ?? [field(head, 345, 155), field(head, 0, 100)].map(textOf).filter(Boolean).join('/')
    longPath = undefined
    if (type === '0' || type === '') files.push({ path, data: body })
    else if (type === '1' || type === '2')
      throw new Error(`The archive holds a link, "${path}"; publish it with the command line.`)
    if (files.length > maxFiles) throw tooManyFiles(maxFiles)
  }
  return files
}

/** Few bytes may unpack to more than a browser has room for. */
async function gunzip(archive: Blob, maxBytes: number): Promise<Blob> {
  let bytes = 0
  const bounded = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, to) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw tooLarge()
      to.enqueue(piece)
    },
  })
  try {
    const unpacked = archive.stream().pipeThrough(new DecompressionStream('gzip')).pipeThrough(bounded)
    return await new Response(unpacked).blob()
  } catch {
    throw bytes > maxBytes ? tooLarge() : new Error('The archive is compressed, and damaged.')
  }
}

/** Octal digits; what ends or fills up the field is no part of it. A minus would lead back to what was read already. */
function sizeOf(head: Uint8Array): number {
  const digits = ascii(head, 124, 12).trim()
  if (digits === '') return 0
  if (!/^[0-7]+$/.test(digits)) {
    throw new Error('A file of the archive has a size that cannot be read; pack it again as .tar.gz.')
  }
  return Number.parseInt(digits, 8)
}

/** The path of records "LENGTH KEY=VALUE\n". LENGTH counts all of one: a value may be no text, and hold line ends. */
function pathOf(records: Uint8Array): string | undefined {
  let path: string | undefined
  for (let at = 0; at < records.byteLength; ) {
    const [start = '', digits] = /^([1-9]\d{0,5}) /.exec(ascii(records, at, 7)) ?? []
    const end = at + Number(digits)
    // not so either where no number is there
    if (!(end <= records.byteLength && end > at + start.length)) {
      throw new Error('The archive is damaged in the record of a path; pack it again.')
    }
    const record = records.subarray(at + start.length, end - 1)
    if (ascii(record, 0, 5) === 'path=') path = textOf(record.subarray(5))
    at = end
  }
  return path
}

/** Up to the first zero byte. */
function field(bytes: Uint8Array, from: number, length: number): Uint8Array {
  const all = bytes.subarray(from, from + length)
  const end = all.indexOf(0)
  return end < 0 ? all : all.subarray(0, end)
}

function ascii(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...field(bytes, from, length))
}

function textOf(bytes: Uint8Array | ArrayBuffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Error('A path in the archive is no UTF-8 text; publish it with the command line.')
  }
}
