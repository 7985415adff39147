import { Parser, type ReadEntry } from 'tar'
import { messageOf } from '../../../../base/errors.ts'
import { formatBytes } from '../../../../base/format.ts'
import { BLOCK } from '../../../archive/tar-format.ts'
import { TooLargeError } from '../../../errors.ts'
import { isSystemError, UnusableSourceError } from '../errors.ts'
import type { StagingFile } from '../staging-file.ts'
import { archiveKind, MARK_BYTES, peek } from './compression.ts'

const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile'])
/** A path, a target or a comment that stands outside of a header. */
const MAX_META_BYTES = 64 * 1024

/** What the headers of one entry take of the archive: its own, one for a long name, that name, and padding. */
const HEADERS_BYTES = 4096
/** A record of pax: contents with holes in them, whose map stands where their first bytes should. */
const SPARSE = /^\d+ GNU\.sparse\./m

export const NOT_UTF8 = 'has a name that is not UTF-8'

/** Reads a tar that is not compressed, whatever program wrote it. */
export async function readTarArchive(pieces: AsyncIterable<Uint8Array>, staging: StagingFile): Promise<void> {
  const { head, all } = await peek(pieces, MARK_BYTES)
  // the parser would decompress it, and what comes of that is not counted
  if (archiveKind(head) !== 'tar') throw new UnusableSourceError('the archive is compressed twice')
  let problem: unknown
  const parser = new Parser({
    strict: true,
    brotli: false,
    zstd: false,
    maxMetaEntrySize: MAX_META_BYTES,
    onReadEntry: (entry) => {
      takeEntry(entry, staging, (error) => {
        problem ??= error
      })
    },
  })
  parser.on('error', (error: unknown) => {
    problem ??= error
  })
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    problem ??= new UnusableSourceError(
      entry.meta
        ? `the archive holds a name or a comment of more than ${formatBytes(MAX_META_BYTES)}`
        : `the archive holds ${JSON.stringify(entry.path)}, of a kind that no archive of code has (${entry.type})`,
    )
  })
  parser.on('meta', (records: string) => {
    if (SPARSE.test(records)) problem ??= new UnusableSourceError('the archive holds a file with holes (GNU sparse)')
  })
  let ended = false
  parser.on('eof', () => {
    ended = true
  })
  const maxBytes = staging.limits.maxBytes + staging.limits.maxEntries * HEADERS_BYTES
  let bytes = 0
  for await (const piece of all) {
    bytes += piece.byteLength
    // what belongs to no file is not free, either
    if (bytes > maxBytes) throw new TooLargeError(`the archive unpacks to more than ${formatBytes(maxBytes)}`)
    // the parser would keep what comes after the end
    if (ended) continue
    parser.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
    if (problem !== undefined) break
  }
  if (bytes === 0) throw new UnusableSourceError('the archive is empty')
  if (problem === undefined) parser.end()
  if (problem !== undefined) throw asUnusable(problem)
  if (bytes % BLOCK !== 0) throw new UnusableSourceError('the archive is not a tar that can be read (it is cut)')
}

function takeEntry(entry: ReadEntry, staging: StagingFile, fail: (error: unknown) => void): void {
  const path = entry.path.replace(/^(\.\/)+/, '')
  const guarded = (act: () => void) => {
    try {
      act()
    } catch (error) {
      fail(error)
    }
  }
  guarded(() => {
    if (path.includes('\ufffd')) staging.add({ path, problem: NOT_UTF8 })
    else if (FILES.has(entry.type)) staging.file(path)
    else if (entry.type === 'SymbolicLink') staging.add({ path, target: entry.linkpath ?? '' })
    else if (entry.type === 'Link') staging.add({ path, problem: 'is a hard link' })
    else if (entry.type === 'Directory') staging.folder()
    else staging.add({ path, problem: `is neither a file nor a folder nor a link (${entry.type})` })
  })
  if (FILES.has(entry.type) && !path.includes('\ufffd'))
    entry.on('data', (piece: Buffer) => guarded(() => staging.data(piece)))
  else entry.resume()
}

function asUnusable(error: unknown): Error {
  if (error instanceof Error && isSystemError(error)) return error
  if (error instanceof Error && error.constructor !== Error && !('tarCode' in error)) return error
  return new UnusableSourceError(`the archive is not a tar that can be read (${messageOf(error)})`, { cause: error })
}
