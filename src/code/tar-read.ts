import { MAX_PATH_BYTES } from './constants.ts'
import { BadArchiveError, TooLargeError } from './errors.ts'
import {
  BLOCK,
  checkEntry,
  comparePaths,
  encodeHeader,
  FIELDS,
  paddedSize,
  quoted,
  type TarEntry,
  TRAILER_BYTES,
} from './tar-format.ts'

/** Where the files of an archive go while it is read. Calls come in order: file, data (any number of times), close. */
export interface TarSink {
  file(entry: TarEntry): void
  data(bytes: Uint8Array): void
  close(): void
}

export interface TarReader {
  /** Throws a BadArchiveError at the first byte that no canonical archive has. */
  push(bytes: Uint8Array): void
  /** There are no more bytes. Throws where there should be. */
  end(): void
  /** Files and folders seen so far. */
  readonly entries: number
  readonly files: number
}

export type TarLimits = { readonly maxEntries: number; readonly maxBytes: number }

/** What the parser waits for next: exactly so many bytes at once, or up to so many as they come. */
type Ask = { bytes: number; whole: boolean }

const PAX_OVERHEAD = '1034 path=\n'.length

/**
 * Reads canonical archives and nothing else. Each header is written anew from what it says and compared, so that there
 * is one rule for writing and reading, and nothing that an archive could smuggle in a field that others look at.
 */
export function createTarReader(sink: TarSink, limits: TarLimits): TarReader {
  const counts = { files: 0, folders: 0, bytes: 0 }
  const parser = parse(sink, limits, counts)
  let ask = parser.next()
  let waiting: { bytes: Uint8Array; filled: number } | undefined

  const fill = (bytes: Uint8Array, size: number): number => {
    waiting ??= { bytes: new Uint8Array(size), filled: 0 }
    const piece = bytes.subarray(0, size - waiting.filled)
    waiting.bytes.set(piece, waiting.filled)
    waiting.filled += piece.byteLength
    if (waiting.filled === size) {
      const whole = waiting.bytes
      waiting = undefined
      ask = parser.next(whole)
    }
    return piece.byteLength
  }
  return {
    push(bytes) {
      let offset = 0
      while (offset < bytes.byteLength) {
        if (ask.done) throw new BadArchiveError('the archive has bytes after its end')
        const rest = bytes.subarray(offset)
        if (ask.value.whole) {
          offset += fill(rest, ask.value.bytes)
        } else {
          const piece = rest.subarray(0, ask.value.bytes)
          offset += piece.byteLength
          ask = parser.next(piece)
        }
      }
    },
    end() {
      if (!ask.done) throw new BadArchiveError('the archive ends too early')
    },
    get entries() {
      return counts.files + counts.folders
    },
    get files() {
      return counts.files
    },
  }
}

function* parse(
  sink: TarSink,
  limits: TarLimits,
  counts: { files: number; folders: number; bytes: number },
): Generator<Ask, void, Uint8Array> {
  const order = createOrder()
  for (;;) {
    const first = yield { bytes: BLOCK, whole: true }
    if (isZero(first)) break
    const entry = yield* readHeader(first)
    counts.folders += order.add(entry.path)
    counts.files++
    counts.bytes += entry.size
    if (counts.files + counts.folders > limits.maxEntries) {
      throw new TooLargeError(`the archive has more than ${limits.maxEntries} files and folders`)
    }
    if (counts.bytes > limits.maxBytes) {
      throw new TooLargeError(`the files of the archive have more than ${limits.maxBytes} bytes`)
    }
    sink.file(entry)
    for (let left = entry.size; left > 0; ) {
      const piece = yield { bytes: left, whole: false }
      left -= piece.byteLength
      sink.data(piece)
    }
    const padding = paddedSize(entry.size) - entry.size
    if (padding > 0 && !isZero(yield { bytes: padding, whole: true })) {
      throw new BadArchiveError(`the padding after ${quoted(entry.path)} is not zero`)
    }
    sink.close()
  }
  if (!isZero(yield { bytes: TRAILER_BYTES - BLOCK, whole: true })) {
    throw new BadArchiveError('the archive has one block of zeros between its files; only two at its end are allowed')
  }
  if (counts.files === 0) throw new BadArchiveError('the archive has no files')
}

function* readHeader(first: Uint8Array): Generator<Ask, TarEntry, Uint8Array> {
  const type = String.fromCharCode(first[156] as number)
  if (type === '0') return checked(readText(first.subarray(0, 100)), first, first)
  if (type !== 'x') throw new BadArchiveError(`${quoted(readText(first.subarray(0, 100)))} ${refusalOf(type)}`)
  const size = readOctal(first, 124, 11)
  if (size > MAX_PATH_BYTES + PAX_OVERHEAD) throw new BadArchiveError('a pax record is longer than the longest path')
  if (size === 0) throw new BadArchiveError('a pax record is empty')
  const record = yield { bytes: paddedSize(size), whole: true }
  const header = yield { bytes: BLOCK, whole: true }
  const path = /^\d{1,4} path=([^\n]*)\n$/.exec(readText(record.subarray(0, size)))?.[1]
  if (path === undefined) throw new BadArchiveError('a pax record says something else than one path')
  return checked(path, header, Buffer.concat([first, record, header]))
}

/** The entry that a header describes, if the whole of it is spelled as it must be. */
function checked(path: string, header: Uint8Array, all: Uint8Array): TarEntry {
  const executable = (readOctal(header, 100, 7) & 0o111) !== 0
  const entry = { path, executable, size: readOctal(header, 124, 11) }
  try {
    checkEntry(entry)
  } catch (error) {
    throw new BadArchiveError(error instanceof Error ? error.message : String(error))
  }
  const expected = encodeHeader(entry)
  if (Buffer.compare(expected, all) === 0) return entry
  const expectedHeader = expected.subarray(-BLOCK)
  const wrong = FIELDS.filter(([name, from], index) => {
    const to = FIELDS[index + 1]?.[1] ?? BLOCK
    return name !== 'checksum' && Buffer.compare(expectedHeader.subarray(from, to), header.subarray(from, to)) !== 0
  })
  const field = wrong.length > 0 ? wrong.map(([name]) => name).join(', ') : 'checksum or pax record'
  throw new BadArchiveError(`the header of ${quoted(path)} is not in the canonical form (${field})`)
}

/** Paths must ascend, and no file may be a folder of another. Sorted, what begins alike stands together. */
function createOrder(): { add(path: string): number } {
  let last: string | undefined
  /** Files that the paths after them still begin with. */
  const beginnings: string[] = []
  return {
    add(path) {
      if (last !== undefined && comparePaths(last, path) >= 0) {
        throw new BadArchiveError(
          last === path
            ? `${quoted(path)} occurs twice`
            : `${quoted(path)} comes after ${quoted(last)}; paths must ascend`,
        )
      }
      while (beginnings.length > 0 && !path.startsWith(beginnings.at(-1) as string)) beginnings.pop()
      const folder = beginnings.find((file) => path[file.length] === '/')
      if (folder !== undefined) throw new BadArchiveError(`${quoted(folder)} is a file and a folder`)
      beginnings.push(path)
      const created = newFolders(last ?? '', path)
      last = path
      return created
    },
  }
}

/** How many folders of `path` the path before it does not have: each ends at a slash behind what both begin with. */
function newFolders(last: string, path: string): number {
  let common = 0
  while (common < last.length && last[common] === path[common]) common++
  return path.slice(common).split('/').length - 1
}

function refusalOf(type: string): string {
  const known: Record<string, string> = {
    '1': 'is a hard link',
    '2': 'is a symbolic link',
    '3': 'is a device',
    '4': 'is a device',
    '5': 'is an entry for a folder',
    '6': 'is a named pipe',
    S: 'is a sparse file',
    L: 'is a GNU long name',
    K: 'is a GNU long link name',
    g: 'is a global pax header',
  }
  return `${known[type] ?? 'is of an unknown type'}; an archive holds regular files only`
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0)
  // what is no UTF-8 becomes another text, and then another header than the one that came
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(end < 0 ? field : field.subarray(0, end))
}

function readOctal(header: Uint8Array, offset: number, digits: number): number {
  const text = readText(header.subarray(offset, offset + digits))
  if (!/^[0-7]+$/.test(text) || text.length !== digits) {
    throw new BadArchiveError(
      `${quoted(readText(header.subarray(0, 100)))} has a number in its header that is not ${digits} octal digits`,
    )
  }
  return Number.parseInt(text, 8)
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
