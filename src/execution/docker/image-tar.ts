import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of an image: from text, from a file of this machine, or a folder. Paths without a leading slash. */
export type TarEntry =
  | { readonly path: string; readonly text: string; readonly mode: number }
  | { readonly path: string; readonly file: string; readonly mode: number }
  | { readonly path: string; readonly folder: true; readonly mode: number }
  | { readonly path: string; readonly link: string }

const BLOCK = 512
/** of a path, and of where a link leads */
const NAME_BYTES = 100

/** A tar as an engine reads it: ustar, with GNU's entries for paths that are longer than its fields. */
export async function* tarOf(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  owner = 0,
): AsyncGenerator<Uint8Array> {
  const header = (head: Head) => headerOf(head, owner)
  for await (const entry of entries) {
    yield* longNames(entry)
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

/** A folder of this machine and all that is in it, under another name. Links stay as they are. */
export async function* entriesOf(dir: string, path: string): AsyncGenerator<TarEntry> {
  yield { path, folder: true, mode: (await stat(dir)).mode & 0o7777 }
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const [source, target] = [join(dir, entry.name), `${path}/${entry.name}`]
    if (entry.isDirectory()) yield* entriesOf(source, target)
    else if (entry.isSymbolicLink()) yield { path: target, link: await readlink(source) }
    else if (entry.isFile()) yield { path: target, file: source, mode: (await lstat(source)).mode & 0o777 }
  }
}

function* longNames(entry: TarEntry): Generator<Uint8Array> {
  const path = 'folder' in entry ? `${entry.path}/` : entry.path
  if ('link' in entry) yield* longName('K', entry.link)
  yield* longName('L', path)
}

function* longName(type: 'K' | 'L', name: string): Generator<Uint8Array> {
  const bytes = Buffer.from(`${name}\0`)
  if (bytes.byteLength <= NAME_BYTES) return
  yield headerOf({ path: '././@LongLink', mode: 0, size: bytes.byteLength, type }, 0)
  yield bytes
  yield padding(bytes.byteLength)
}

type Head = { path: string; mode: number; size: number; type: '0' | '2' | '5' | 'K' | 'L'; link?: string }

function headerOf(entry: Head, owner: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, offset: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'ascii')
  // What is cut off here was said in full before.
  const name = (text: string, offset: number) => block.set(Buffer.from(text).subarray(0, NAME_BYTES), offset)
  name(entry.path, 0)
  octal(entry.mode, 100, 8)
  octal(owner, 108, 8)
  octal(owner, 116, 8)
  octal(entry.size, 124, 12)
  octal(0, 136, 12)
  block.write(entry.type, 156, 'ascii')
  name(entry.link ?? '', 157)
  block.write('ustar\x0000', 257, 'ascii')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii')
  return block
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
