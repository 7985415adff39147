import { MAX_LINK_BYTES, MAX_LINKS, MAX_PATH_BYTES } from '../constants.ts'
import { BadArchiveError, TooLargeError } from '../errors.ts'
import { createLinkChecker, danglingLinksText, resolveLink } from './links.ts'
import {
  BLOCK,
  checkFile,
  comparePaths,
  encodeHeader,
  FIELDS,
  isLink,
  paddedSize,
  quoted,
  type TarEntry,
  type TarFile,
  type TarLink,
  TRAILER_BYTES,
} from './tar-format.ts'

/**
 * Where the files of an archive go while it is read. Calls come in order: file, data (any number of times), close; or
 * link, whose target is known to be in the archive only when the reader has ended.
 */
export interface TarSink {
  file(entry: TarFile): void
  data(bytes: Uint8Array): void
  close(): void
  link(entry: TarLink): void
}

export interface TarReader {
  /** Throws a BadArchiveError at the first byte that no canonical archive has. */
  push(bytes: Uint8Array): void
  /** There are no more bytes. Throws where there should be, and where a link leads to nothing of the archive. */
  end(): void
  /** Files, links and folders seen so far. */
  readonly entries: number
  /** Files and links seen so far. */
  readonly files: number
}

export type TarLimits = { readonly maxEntries: number; readonly maxBytes: number }

/** What the parser waits for next: exactly so many bytes at once, or up to so many as they come. */
type Ask = { bytes: number; complete: boolean }

/** The longest pax records: one path and one target. */
const MAX_PAX_BYTES = '1034 path=\n'.length + '1038 linkpath=\n'.length + 2 * MAX_PATH_BYTES
const PAX = /^(?:\d{1,4} path=([^\n]*)\n)?(?:\d{1,4} linkpath=([^\n]*)\n)?$/

/**
 * Reads canonical archives and nothing else. Each header is written again from what it says and compared, so that there
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
      const complete = waiting.bytes
      waiting = undefined
      ask = parser.next(complete)
    }
    return piece.byteLength
  }
  return {
    push(bytes) {
      let offset = 0
      while (offset < bytes.byteLength) {
        if (ask.done) throw new BadArchiveError('the archive has bytes after its end')
        const rest = bytes.subarray(offset)
        if (ask.value.complete) {
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
  const present = createLinkChecker()
  let hasFile = false
  for (;;) {
    const first = yield { bytes: BLOCK, complete: true }
    if (isZero(first)) break
    const entry = yield* readHeader(first)
    const folders = order.add(entry.path)
    for (const folder of folders) present.add(folder)
    counts.folders += folders.length
    counts.files++
    if (!isLink(entry)) counts.bytes += entry.size
    if (counts.files + counts.folders > limits.maxEntries) {
      throw new TooLargeError(`the archive has more than ${limits.maxEntries} files and folders`)
    }
    if (counts.bytes > limits.maxBytes) {
      throw new TooLargeError(`the files of the archive have more than ${limits.maxBytes} bytes`)
    }
    if (isLink(entry)) {
      if (!present.addLink(entry, targetOf(entry))) throw new BadArchiveError(TOO_MANY_LINKS)
      sink.link(entry)
      continue
    }
    hasFile = true
    present.add(entry.path)
    sink.file(entry)
    for (let left = entry.size; left > 0; ) {
      const piece = yield { bytes: left, complete: false }
      left -= piece.byteLength
      sink.data(piece)
    }
    const padding = paddedSize(entry.size) - entry.size
    if (padding > 0 && !isZero(yield { bytes: padding, complete: true })) {
      throw new BadArchiveError(`the padding after ${quoted(entry.path)} is not zero`)
    }
    sink.close()
  }
  if (!isZero(yield { bytes: TRAILER_BYTES - BLOCK, complete: true })) {
    throw new BadArchiveError('the archive has one block of zeros between its files; only two at its end are allowed')
  }
  if (!hasFile) throw new BadArchiveError('the archive has no files')
  const dangling = present.dangling()
  if (dangling.length > 0) throw new BadArchiveError(danglingLinksText(dangling))
}

const TOO_MANY_LINKS = `the archive has more than ${MAX_LINKS} links, or more than ${MAX_LINK_BYTES} bytes of them`

function targetOf(link: TarLink): string {
  const resolved = resolveLink(link)
  if ('to' in resolved) return resolved.to
  throw new BadArchiveError(`the link ${quoted(link.path)} ${resolved.problem}`)
}

function* readHeader(first: Uint8Array): Generator<Ask, TarEntry, Uint8Array> {
  const type = String.fromCharCode(first[156] as number)
  if (type === '0' || type === '2') return checked({}, first, first)
  if (type !== 'x') throw new BadArchiveError(`${quoted(readText(first.subarray(0, 100)))} ${refusalOf(type)}`)
  const size = readOctal(first, 124, 11)
  if (size > MAX_PAX_BYTES) throw new BadArchiveError('a pax header is longer than the longest path and target')
  if (size === 0) throw new BadArchiveError('a pax header is empty')
  const records = yield { bytes: paddedSize(size), complete: true }
  const header = yield { bytes: BLOCK, complete: true }
  const record = PAX.exec(readText(records.subarray(0, size)))
  if (record === null) throw new BadArchiveError('a pax header says something else than one path and one link target')
  return checked({ path: record[1], target: record[2] }, header, Buffer.concat([first, records, header]))
}

const LINK_TYPE = '2'.charCodeAt(0)

type Long = { readonly path?: string | undefined; readonly target?: string | undefined }

/** The entry that a header describes, if all of it is canonical. `long`: from pax records. */
function checked(long: Long, header: Uint8Array, all: Uint8Array): TarEntry {
  const path = long.path ?? readText(header.subarray(0, 100))
  const entry =
    header[156] === LINK_TYPE
      ? { path, target: long.target ?? readText(header.subarray(157, 257)) }
      : fileIn(path, header)
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

function fileIn(path: string, header: Uint8Array): TarFile {
  const executable = (readOctal(header, 100, 7) & 0o111) !== 0
  const entry = { path, executable, size: readOctal(header, 124, 11) }
  try {
    checkFile(entry)
  } catch (error) {
    throw new BadArchiveError(error instanceof Error ? error.message : String(error))
  }
  return entry
}

/** Paths must ascend, and no file or link may be a folder of another; `add` says which folders are new. In sorted order, paths with a common prefix are adjacent. */
function createOrder(): { add(path: string): string[] } {
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
      if (folder !== undefined) throw new BadArchiveError(`${quoted(folder)} is a file or a link, and a folder`)
      beginnings.push(path)
      const created = newFolders(last ?? '', path)
      last = path
      return created
    },
  }
}

/** The folders of `path` that the path before it does not have: each ends at a slash behind what both begin with. */
function newFolders(last: string, path: string): string[] {
  let common = 0
  while (common < last.length && last[common] === path[common]) common++
  const folders: string[] = []
  for (let slash = path.indexOf('/', common); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    folders.push(path.slice(0, slash))
  }
  return folders
}

function refusalOf(type: string): string {
  const known: Record<string, string> = {
    '1': 'is a hard link',
    '3': 'is a device',
    '4': 'is a device',
    '5': 'is an entry for a folder',
    '6': 'is a named pipe',
    S: 'is a sparse file',
    L: 'is a GNU long name',
    K: 'is a GNU long link name',
    g: 'is a global pax header',
  }
  return `${known[type] ?? 'is of an unknown type'}; an archive holds regular files and symbolic links only`
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0)
  // invalid UTF-8 becomes another text, and then another header than the received one
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
