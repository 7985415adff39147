import { addAbortListener, once } from 'node:events'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { CID } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { systemDisk } from '../../base/os/disk.ts'
import { startProcess } from '../../process/index.ts'
import { ingestTar } from '../archive/ingest-tar.ts'
import { PACK_HEAP_MB, PACK_MS } from '../constants.ts'
import { BadArchiveError, DiskFullError, TooLargeError } from '../errors.ts'
import { hasOverspent, libraryFolder } from '../sources/fetch-process.ts'
import { withDiskErrors } from '../store/store-layout.ts'
import { chownToUnpackUser, unpackUser } from '../unpack/owner.ts'
import { confinement } from '../unpack/unpack.ts'
import { framesOf } from './frames.ts'
import type { LeftOut, LeftTar, PackJob, PackReport, TaskOutputPath } from './job.ts'

const LIBRARIES = ['ignore']
/** A report names at most 16 paths. */
const MAX_REPORT_BYTES = 64 * 1024

export type PackOutputsInit = PackJob & {
  /** an empty folder; it gets the archive: `manifest` and `tar`, as a code store keeps them */
  readonly dir: string
  readonly signal?: AbortSignal | undefined
}

export type PackedOutputs = {
  /** absent where there is no file */
  readonly code?: CID | undefined
  /** bytes of the archive */
  readonly size: number
  readonly files: number
  /** of the paths, those at and below which no file is packed */
  readonly missing: readonly string[]
  readonly leftOut: LeftOut
}

/**
 * Packs what a task has left into a canonical archive. A process of its own reads it, which may write a folder in `dir` alone
 * and is nobody. Throws TooLargeError, BadArchiveError, DiskFullError or an UnavailableError.
 */
export async function packOutputs(
  { clock }: { readonly clock: Clock },
  paths: AsyncIterable<TaskOutputPath>,
  { dir, signal, ...job }: PackOutputsInit,
): Promise<PackedOutputs> {
  using limit = deadline(clock, PACK_MS, new TimeoutError('packing takes too long'), signal)
  const work = join(await realpath(dir), 'work')
  await mkdir(work, { mode: 0o700 })
  await chownToUnpackUser(work)
  limit.signal.throwIfAborted()
  const child = startProcess(
    { kind: 'pack', program: process.execPath, args: childArgs(work, job), cwd: work },
    { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
  )
  const exited = once(child, 'exit').catch((error: unknown) => {
    throw new UnavailableError(`packing could not be started: ${messageOf(error)}`)
  })
  // it may be over before anyone waits for it
  exited.catch(() => {})
  using _end = { [Symbol.dispose]: () => void child.kill('SIGKILL') }
  using _kill = addAbortListener(limit.signal, () => void child.kill('SIGKILL'))
  const [input, stdout, errors, reports] = child.stdio as unknown as [Writable, Readable, Readable, Readable]
  // what is not read yet when a process exits is lost, so it is read at once, and waits here
  const archive = stdout.pipe(new PassThrough())
  const source: Source = { paths: [], absent: new Set() }
  // also one that says nothing
  using _tar = { [Symbol.dispose]: () => source.reads?.destroy?.() }
  // a child that ended early says why itself
  pipeline(Readable.from(frames(paths, source, input)), input).catch(() => {})
  const problem = boundedText(errors)
  const report = reportOf(await boundedText(reports, '\n'))
  try {
    // a process that got less than there is does not know it
    if (source.broken !== undefined) throw source.broken
    if (report?.done === true && report.files > 0) {
      const packed = await withDiskErrors(dir, ingestTar(systemDisk(), archive, dir, bounded(job.maxBytes), limit))
      return { ...aboutOf(report, source), code: packed.code, size: packed.manifest.size }
    }
    archive.resume()
    await exited
    limit.signal.throwIfAborted()
    if (report?.done === true) return { ...aboutOf(report, source), size: 0 }
    if (report !== undefined) throw errorOf(report, dir)
    const said = await problem
    if (hasOverspent(child, said))
      throw new BadArchiveError('packing takes more memory or processor time than it may have')
    throw new UnavailableError(
      `packing ended without an answer (${sanitizeText(said.trim().split('\n').at(-1) ?? '', 200)})`,
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Source = { readonly paths: string[]; readonly absent: Set<string>; reads?: LeftTar | undefined; broken?: unknown }

async function* frames(
  paths: AsyncIterable<TaskOutputPath>,
  source: Source,
  input: Writable,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const { path, tar } of paths) {
      source.paths.push(path)
      source.reads = tar
      if (tar === undefined) source.absent.add(path)
      else yield* framesOf(path, tar)
    }
  } catch (error) {
    // not where the process takes no more of it
    if (!input.destroyed) source.broken = error
    throw error
  }
}

/** The headers of many small files are bytes, too. */
function bounded(maxBytes: number): (bytes: number) => Promise<void> {
  let total = 0
  return async (bytes) => {
    total += bytes
    if (total > Math.min(maxBytes, CHUNK_BYTES * MAX_CHUNKS)) throw new TooLargeError('the archive has too many bytes')
  }
}

function aboutOf({ files, missing, leftOut }: Extract<PackReport, { done: true }>, { paths, absent }: Source) {
  return { files, missing: paths.filter((path) => absent.has(path) || missing.includes(path)), leftOut }
}

function errorOf({ why, message }: Extract<PackReport, { done: false }>, dir: string): Error {
  const text = sanitizeText(message, 300)
  if (why === 'too-large') return new TooLargeError(text)
  if (why === 'unusable') return new BadArchiveError(text)
  if (why === 'disk-full') return new DiskFullError(`the disk of ${dir} is full: free some space there`)
  return new UnavailableError(`packing failed: ${text}`)
}

const reportSchema = z.discriminatedUnion('done', [
  z.object({
    done: z.literal(true),
    files: z.int().min(0),
    missing: z.array(z.string()),
    leftOut: z.object({ links: z.int().min(0), special: z.int().min(0), names: z.int().min(0) }),
  }),
  z.object({
    done: z.literal(false),
    why: z.enum(['too-large', 'unusable', 'disk-full', 'failed']),
    message: z.string(),
  }),
])

/** A process that was taken over says anything. */
function reportOf(text: string): PackReport | undefined {
  try {
    return reportSchema.parse(JSON.parse(text.split('\n', 1)[0] ?? ''))
  } catch {
    return undefined
  }
}

async function boundedText(stream: Readable, until?: string): Promise<string> {
  let text = ''
  try {
    for await (const piece of stream.setEncoding('utf8') as AsyncIterable<string>) {
      if (text.length < MAX_REPORT_BYTES) text += piece
      if (until !== undefined && text.includes(until)) break
    }
  } catch {
    // how the process ended says more
  }
  return text.slice(0, MAX_REPORT_BYTES)
}

function childArgs(folder: string, job: PackJob): string[] {
  const user = unpackUser()
  const entry = [...entryFlags(import.meta.url), entryFile(import.meta.url, './child')]
  const libraries = [...new Set(LIBRARIES.map(libraryFolder))].map((path) => `--allow-fs-read=${path}`)
  const wire = `--allow-fs-read=${fileURLToPath(new URL('../../../protocols', import.meta.url))}`
  const about = JSON.stringify(job)
  return [
    ...confinement(folder, PACK_HEAP_MB),
    wire,
    ...libraries,
    ...entry,
    about,
    ...(user === undefined ? [] : [`${user}`]),
  ]
}
