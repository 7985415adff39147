import { InputError } from '../../base/errors.ts'
import { MAX_LINK_BYTES, MAX_LINKS } from '../constants.ts'
import { danglingLinksText, resolveLink } from './links.ts'
import {
  checkFile,
  comparePaths,
  encodeHeader,
  foldersOf,
  isLink,
  paddedSize,
  quoted,
  type TarEntry,
  type TarFile,
  type TarLink,
  TRAILER_BYTES,
  ZEROS,
} from './tar-format.ts'

/** A file to pack, whose content is opened when its turn comes, or a link. */
export type PackEntry = PackFile | TarLink
export type PackFile = TarFile & {
  readonly open: (options: { signal?: AbortSignal | undefined }) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** The canonical tar of `entries`, in whatever order they come. Throws InputError where it cannot be one. */
export async function* packEntries(
  entries: Iterable<PackEntry>,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  for (const entry of orderEntries(entries)) {
    options.signal?.throwIfAborted()
    yield encodeHeader(entry)
    if (isLink(entry)) continue
    let written = 0
    for await (const piece of entry.open(options)) {
      written += piece.byteLength
      if (written > entry.size) break
      yield piece
    }
    if (written !== entry.size) throw new InputError(`${quoted(entry.path)} changed while it was packed; try again`)
    const padding = paddedSize(entry.size) - entry.size
    if (padding > 0) yield ZEROS.subarray(0, padding)
  }
  yield ZEROS.subarray(0, TRAILER_BYTES)
}

/** The entries in the order of an archive. Throws InputError where they cannot be one. */
export function orderEntries<T extends TarEntry>(entries: Iterable<T>): T[] {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path))
  if (sorted.length === 0) throw new InputError('there are no files to pack')
  for (const entry of sorted) {
    if (!isLink(entry)) checkFile(entry)
  }
  checkNames(sorted)
  checkLinks(sorted)
  return sorted
}

/** What the archive of `entries` comes to; `entries` of it are also the folders that it has no entries for. */
export function sizeOfArchive(entries: readonly TarEntry[]): { bytes: number; entries: number } {
  const folders = new Set(entries.flatMap(({ path }) => foldersOf(path)))
  const bytes = entries.reduce(
    (sum, entry) => sum + encodeHeader(entry).byteLength + (isLink(entry) ? 0 : paddedSize(entry.size)),
    TRAILER_BYTES,
  )
  return { bytes, entries: entries.length + folders.size }
}

function checkNames(entries: readonly TarEntry[]): void {
  const paths = new Set<string>()
  for (const { path } of entries) {
    if (paths.has(path)) throw new InputError(`${quoted(path)} occurs twice`)
    paths.add(path)
  }
  for (const { path } of entries) {
    const folder = foldersOf(path).find((above) => paths.has(above))
    if (folder !== undefined) throw new InputError(`${quoted(folder)} is a file or a link, and a folder`)
  }
}

function checkLinks(entries: readonly TarEntry[]): void {
  const links = entries.filter(isLink)
  if (links.length === 0) return
  if (links.length === entries.length) throw new InputError('there are links to pack, and no files')
  const bytes = links.reduce((sum, { path, target }) => sum + Buffer.byteLength(path) + Buffer.byteLength(target), 0)
  if (links.length > MAX_LINKS || bytes > MAX_LINK_BYTES) {
    throw new InputError(`there are more than ${MAX_LINKS} links to pack, or more than ${MAX_LINK_BYTES} bytes of them`)
  }
  const present = new Set(
    entries.flatMap((entry) => [...foldersOf(entry.path), ...(isLink(entry) ? [] : [entry.path])]),
  )
  const dangling = links.filter((link) => !present.has(leadsTo(link)))
  if (dangling.length > 0) throw new InputError(danglingLinksText(dangling))
}

function leadsTo(link: TarLink): string {
  const resolved = resolveLink(link)
  if ('to' in resolved) return resolved.to
  throw new InputError(`the link ${quoted(link.path)} ${resolved.problem}`)
}
