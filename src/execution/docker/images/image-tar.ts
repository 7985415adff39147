import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Header, type HeaderData, Pax } from 'tar'

/** A file of an image: from text, from a file of this machine, or a folder. Paths without a leading slash. */
export type TarEntry =
  | { readonly path: string; readonly text: string; readonly mode: number }
  | { readonly path: string; readonly file: string; readonly mode: number }
  | { readonly path: string; readonly folder: true; readonly mode: number }
  | { readonly path: string; readonly link: string }

const BLOCK = 512

/** A tar as an engine reads it. It is read no faster than the engine takes it, and no file stays open when that stops. */
export async function* tarOf(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  owner = 0,
): AsyncGenerator<Uint8Array> {
  const header = (data: HeaderData) => headerOf({ ...data, uid: owner, gid: owner, mtime: new Date(0) })
  for await (const entry of entries) {
    const { path } = entry
    if ('folder' in entry) yield header({ type: 'Directory', path: `${path}/`, mode: entry.mode, size: 0 })
    else if ('link' in entry) yield header({ type: 'SymbolicLink', path, mode: 0o777, size: 0, linkpath: entry.link })
    else if ('text' in entry) {
      const bytes = Buffer.from(entry.text)
      yield header({ type: 'File', path, mode: entry.mode, size: bytes.byteLength })
      yield bytes
      yield padding(bytes.byteLength)
    } else {
      const { size } = await stat(entry.file)
      yield header({ type: 'File', path, mode: entry.mode, size })
      if (size > 0) yield* createReadStream(entry.file, { end: size - 1, highWaterMark: 1024 * 1024 })
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

/** What does not fit into its fields is in an extended header before it. */
function headerOf(data: HeaderData): Buffer {
  const header = new Header(data)
  const block = Buffer.alloc(BLOCK)
  header.encode(block)
  if (!header.needPax) return block
  const { path, linkpath } = data
  return Buffer.concat([new Pax({ path, linkpath }).encode(), block])
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
