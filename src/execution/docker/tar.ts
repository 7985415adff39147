import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** A file of an image: from text, from a file of this machine, or a folder. Paths without a leading slash. */
export type TarEntry =
  | { readonly path: string; readonly text: string; readonly mode: number }
  | { readonly path: string; readonly file: string; readonly mode: number }
  | { readonly path: string; readonly folder: true; readonly mode: number }
  | { readonly path: string; readonly link: string }

const BLOCK = 512

/** ustar, as `docker import` reads it. Paths must fit in 100 bytes: they are our own. */
export async function* tarOf(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    if ('folder' in entry) yield header({ path: `${entry.path}/`, mode: entry.mode, size: 0, type: '5' })
    else if ('link' in entry) yield header({ path: entry.path, mode: 0o777, size: 0, type: '2', link: entry.link })
    else if ('text' in entry) {
      const bytes = Buffer.from(entry.text)
      yield header({ path: entry.path, mode: entry.mode, size: bytes.byteLength, type: '0' })
      yield bytes
      yield padding(bytes.byteLength)
    } else {
      const { size } = await stat(entry.file)
      yield header({ path: entry.path, mode: entry.mode, size, type: '0' })
      yield* createReadStream(entry.file, { end: Math.max(0, size - 1), highWaterMark: 1024 * 1024 })
      yield padding(size)
    }
  }
  yield Buffer.alloc(2 * BLOCK)
}

function header(entry: { path: string; mode: number; size: number; type: '0' | '2' | '5'; link?: string }): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'ascii')
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`${entry.path} is too long for this archive`)
  block.write(entry.path, 0, 'utf8')
  octal(entry.mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(entry.size, 124, 12)
  octal(0, 136, 12)
  block.write(entry.type, 156, 'ascii')
  block.write(entry.link ?? '', 157, 'utf8')
  block.write('ustar\x0000', 257, 'ascii')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii')
  return block
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
