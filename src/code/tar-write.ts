import { InputError } from '../base/errors.ts'
import {
  checkEntry,
  comparePaths,
  encodeHeader,
  paddedSize,
  quoted,
  type TarEntry,
  TRAILER_BYTES,
  ZEROS,
} from './tar-format.ts'

/** A file to pack. Its content is opened when its turn comes. */
export type PackEntry = TarEntry & {
  readonly open: (options: { signal?: AbortSignal | undefined }) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** The canonical tar of `entries`, in whatever order they come. Throws InputError where it can not be one. */
export async function* packEntries(
  entries: Iterable<PackEntry>,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path))
  if (sorted.length === 0) throw new InputError('there are no files to pack')
  for (const entry of sorted) checkEntry(entry)
  checkNames(sorted)
  for (const entry of sorted) {
    options.signal?.throwIfAborted()
    yield encodeHeader(entry)
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

function checkNames(entries: readonly TarEntry[]): void {
  const paths = new Set<string>()
  for (const { path } of entries) {
    if (paths.has(path)) throw new InputError(`${quoted(path)} occurs twice`)
    paths.add(path)
  }
  for (const { path } of entries) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash)
      if (paths.has(folder)) throw new InputError(`${quoted(folder)} is a file and a folder`)
    }
  }
}
