import { addAbortListener } from 'node:events'
import { chmod, open, realpath } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { ArchiveManifest } from '../../../protocols/streams/archive.ts'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { startProcess } from '../../process/index.ts'
import type { TarLimits } from '../archive/tar-read.ts'
import { MAX_CHILD_OUTPUT, UNPACK_HEAP_MB, UNPACK_MS } from '../constants.ts'
import { BadArchiveError, DiskFullError, HashMismatchError, TooLargeError } from '../errors.ts'
import { withDiskErrors } from '../store/store-layout.ts'
import type { UnpackJob, UnpackResult } from './job.ts'
import { makeLinks } from './make-links.ts'
import { chownToUnpackUser, reclaimOwnership, unpackUser } from './owner.ts'

export type UnpackOptions = {
  readonly clock: Clock
  readonly limits: TarLimits
  readonly signal?: AbortSignal | undefined
}
/** `files`: files and links. `entries`: files, links and folders. */
export type Unpacked = { readonly files: number; readonly entries: number; readonly bytes: number }
export type Archive = { readonly manifest: ArchiveManifest; readonly tar: string }

/** Makes files of archives. */
export interface Unpacker {
  readonly unpack: typeof unpackArchive
  readonly check: typeof checkUnpacked
}

/** Each archive in a process that can do nothing else. */
export function confinedUnpacker(): Unpacker {
  return { unpack: unpackArchive, check: checkUnpacked }
}

/**
 * Unpacks an archive into the empty folder `target`, in a process that may read this archive and write this folder and
 * do nothing else, as another user where the node is root. Everyone may read `target` afterwards, and the node alone may
 * change it. What is in it after a failure is worthless. Throws BadArchiveError, TooLargeError,
 * HashMismatchError or DiskFullError.
 */
export async function unpackArchive(archive: Archive, target: string, options: UnpackOptions): Promise<Unpacked> {
  await chmod(target, 0o755)
  await chownToUnpackUser(target)
  const result = await runChild('unpack', archive, target, options)
  if (!result.done) throw errorOf(result, target)
  await reclaimOwnership(options.clock, target, options.signal)
  await withDiskErrors(target, makeLinks(await realpath(target), result.links, options))
  return unpackedOf(result)
}

/** What `target` holds, if that is exactly the archive's files. Throws HashMismatchError where the archive itself is damaged. */
export async function checkUnpacked(
  archive: Archive,
  target: string,
  options: UnpackOptions,
): Promise<Unpacked | undefined> {
  const result = await runChild('check', archive, target, options)
  if (result.done) return unpackedOf(result)
  if (result.why === 'differs') return undefined
  throw errorOf(result, target)
}

function unpackedOf({ files, entries, bytes }: Unpacked): Unpacked {
  return { files, entries, bytes }
}

function errorOf({ why, message }: Exclude<UnpackResult, { done: true }>, target: string): Error {
  const text = sanitizeText(message, 400)
  if (why === 'bad-archive') return new BadArchiveError(text)
  if (why === 'too-large') return new TooLargeError(text)
  if (why === 'wrong-bytes') return new HashMismatchError(text)
  if (why === 'disk-full')
    return new DiskFullError(`the disk of ${target} is full; free some space there, or use another disk`)
  return new UnavailableError(`unpacking failed: ${text}`)
}

async function runChild(
  task: UnpackJob['task'],
  archive: Archive,
  target: string,
  options: UnpackOptions,
): Promise<UnpackResult> {
  const { manifest } = archive
  const folder = await realpath(target)
  const hashes = manifest.chunks.map((hash) => Buffer.from(hash).toString('hex'))
  const job: UnpackJob = {
    task,
    size: manifest.size,
    chunkBytes: manifest.chunkSize,
    hashes,
    limits: options.limits,
  }
  using limit = deadline(options.clock, UNPACK_MS, new TimeoutError('unpacking takes too long'), options.signal)
  limit.signal.throwIfAborted()
  await using tar = await open(archive.tar)
  const child = startProcess(
    { kind: 'unpack', program: process.execPath, args: childArgs(folder), cwd: folder },
    { stdio: ['pipe', 'pipe', 'pipe', tar.fd] },
  )
  const [input, answers, errors] = child.stdio as unknown as [Writable, Readable, Readable]
  using _kill = addAbortListener(limit.signal, () => void child.kill('SIGKILL'))
  const output = collectOutput(answers)
  const stderrText = collectOutput(errors)
  // a child that died early takes no job; its exit has the reason
  input.on('error', () => {})
  input.write(`${JSON.stringify(job)}\n`)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  limit.signal.throwIfAborted()
  const [line] = output().split('\n', 1)
  if (line === undefined || line === '') {
    const problem = sanitizeText(stderrText().trim().split('\n').at(-1) ?? '')
    throw new UnavailableError(`the unpacking process ended without an answer (${problem})`)
  }
  return JSON.parse(line) as UnpackResult
}

function childArgs(folder: string): string[] {
  const user = unpackUser()
  const entry = [...entryFlags(import.meta.url), entryFile(import.meta.url, './child')]
  return [...confinement(folder, UNPACK_HEAP_MB), ...entry, ...(user === undefined ? [] : [`${user}`])]
}

/** What keeps a Node process from everything but its descriptors and `folder` (without links in its path). */
export function confinement(folder: string, heapMb: number): string[] {
  const sources = fileURLToPath(new URL('../..', import.meta.url))
  return [
    '--permission',
    `--allow-fs-read=${sources}`,
    `--allow-fs-read=${folder}`,
    `--allow-fs-write=${folder}`,
    // the permission model leaves it open, and it reads and writes files
    '--no-experimental-sqlite',
    '--no-warnings',
    `--max-old-space-size=${heapMb}`,
  ]
}

function collectOutput(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (piece: string) => {
    if (text.length < MAX_CHILD_OUTPUT) text += piece
  })
  return () => text
}
