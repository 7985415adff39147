import { closeSync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { messageOf } from '../../../../base/errors.ts'
import { UnusableSourceError } from '../errors.ts'
import type { StagingFile } from '../staging-file.ts'

const FILE = 'download.zip'
const TYPE_MASK = 0o170000
const LINK = 0o120000
const REGULAR = 0o100000
const FOLDER = 0o040000
const ENCRYPTED = 1
const MAX_TARGET_BYTES = 1024
const END_MARK = 'PK\x05\x06'

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
    if (zip.comment.includes(END_MARK)) throw new UnusableSourceError('the zip has two directories')
    for await (const entry of zip.eachEntry()) await takeEntry(zip, entry, staging)
  } catch (cause) {
    if (cause instanceof Error && cause.constructor !== Error) throw cause
    throw new UnusableSourceError(`the archive is not a zip that can be read (${messageOf(cause)})`, { cause })
  }
}

async function takeEntry(zip: ZipFile, entry: Entry, staging: StagingFile): Promise<void> {
  const path = entry.fileName
  if (path.endsWith('/')) return staging.folder()
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) return staging.add({ path, problem: 'is encrypted' })
  if (path.includes('\ufffd')) return staging.add({ path, problem: 'has a name that is not UTF-8' })
  const local = await zip.readLocalFileHeaderPromise(entry, { minimal: false })
  if (!local.fileName.equals(entry.fileNameRaw)) return staging.add({ path, problem: 'has two names in the zip' })
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK
  if (type === LINK) {
    const target = await contentOf(zip, entry, MAX_TARGET_BYTES)
    return staging.add(target === undefined ? { path, problem: 'is a link with a long target' } : { path, target })
  }
  if (type !== REGULAR && type !== 0) {
    return type === FOLDER ? undefined : staging.add({ path, problem: 'is neither a file nor a folder nor a link' })
  }
  staging.file(path)
  for await (const piece of await zip.openReadStreamPromise(entry)) staging.data(piece as Buffer)
}

async function contentOf(zip: ZipFile, entry: Entry, max: number): Promise<string | undefined> {
  if (entry.uncompressedSize > max) return undefined
  const pieces: Buffer[] = []
  for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}
