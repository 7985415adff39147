import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { messageOf } from '../../../../base/errors.ts'
import { isSystemError, UnusableSourceError } from '../errors.ts'
import type { StagingFile } from '../staging-file.ts'

const FILE = 'download.zip'
const TYPE_MASK = 0o170000
const LINK = 0o120000
const REGULAR = 0o100000
const FOLDER = 0o040000
const ENCRYPTED = 1
const MAX_TARGET_BYTES = 1024
/** Begins what stands behind a central directory. */
const END_MARK = Buffer.from('PK\x05\x06', 'latin1')
const END_BYTES = 22
const SCAN_BYTES = 64 * 1024

const fromFd = promisify<number, object, ZipFile>(yauzl.fromFd as never)

/** Reads a zip by its central directory, which stands at its end: it is downloaded first. */
export async function readZipArchive(pieces: AsyncIterable<Uint8Array>, staging: StagingFile): Promise<void> {
  const fd = openSync(FILE, 'wx+', 0o600)
  try {
    for await (const piece of pieces) {
      for (let done = 0; done < piece.byteLength; ) done += writeSync(fd, piece, done)
    }
    await readEntries(fd, staging)
  } finally {
    closeSync(fd)
  }
}

async function readEntries(fd: number, staging: StagingFile): Promise<void> {
  try {
    const zip = await fromFd(fd, { autoClose: false, lazyEntries: true, strictFileNames: true })
    if (zip.comment.includes(END_MARK.toString('latin1'))) throw secondDirectory()
    const contents: Range[] = []
    for await (const entry of zip.eachEntry()) await takeEntry(zip, entry, staging, contents)
    checkRanges(fd, contents, zip.fileSize - END_BYTES - Buffer.byteLength(zip.comment))
  } catch (cause) {
    if (isSystemError(cause) || (cause instanceof Error && cause.constructor !== Error)) throw cause
    throw new UnusableSourceError(`the archive is not a zip that can be read (${messageOf(cause)})`, { cause })
  }
}

async function takeEntry(zip: ZipFile, entry: Entry, staging: StagingFile, contents: Range[]): Promise<void> {
  const path = entry.fileName
  if (path.endsWith('/')) return staging.folder()
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) return staging.add({ path, problem: 'is encrypted' })
  if (path.includes('\ufffd')) return staging.add({ path, problem: 'has a name that is not UTF-8' })
  const local = await zip.readLocalFileHeaderPromise(entry, { minimal: false })
  if (!local.fileName.equals(entry.fileNameRaw)) return staging.add({ path, problem: 'has two names in the zip' })
  contents.push({ from: local.fileDataStart, to: local.fileDataStart + entry.compressedSize })
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK
  if (type === LINK) {
    const target = await contentOf(zip, entry, MAX_TARGET_BYTES)
    return staging.add(target === undefined ? { path, problem: 'is a link with a long target' } : { path, target })
  }
  if (type !== REGULAR && type !== 0) {
    return type === FOLDER
      ? staging.folder()
      : staging.add({ path, problem: 'is neither a file nor a folder nor a link' })
  }
  staging.file(path)
  for await (const piece of await zip.openReadStreamPromise(entry)) staging.data(piece as Buffer)
}

type Range = { readonly from: number; readonly to: number }

/**
 * Other programs may read a zip from its beginning, or by another directory that is hidden in it, and see other files than this
 * one does: no entry shares its bytes with another, and what belongs to none has no second end of a directory.
 */
function checkRanges(fd: number, contents: Range[], end: number): void {
  let at = 0
  for (const { from, to } of [...contents, { from: end, to: end }].sort((a, b) => a.from - b.from)) {
    if (from < at) throw new UnusableSourceError('two entries of the zip share their bytes')
    if (holdsEndMark(fd, at, from)) throw secondDirectory()
    at = to
  }
}

function holdsEndMark(fd: number, from: number, to: number): boolean {
  const piece = Buffer.alloc(Math.min(SCAN_BYTES, to - from))
  // pieces overlap, so that a mark between two is seen
  for (let at = from; at + END_MARK.byteLength <= to; at += piece.byteLength - END_MARK.byteLength + 1) {
    const read = readSync(fd, piece, 0, Math.min(piece.byteLength, to - at), at)
    if (piece.subarray(0, read).includes(END_MARK)) return true
    if (at + read >= to) return false
  }
  return false
}

function secondDirectory(): UnusableSourceError {
  return new UnusableSourceError('the zip has two directories')
}

async function contentOf(zip: ZipFile, entry: Entry, max: number): Promise<string | undefined> {
  if (entry.uncompressedSize > max) return undefined
  const pieces: Buffer[] = []
  for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}
