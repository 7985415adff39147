import { addAbortListener, once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream'
import { getCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { type Egress, serveEgress } from '../../egress/index.ts'
import { type ChildProcess, startProcess } from '../../process/index.ts'
import { FETCH_HEAP_MB } from '../constants.ts'
import { chownToUnpackUser, unpackUser } from '../unpack/owner.ts'
import { confinement } from '../unpack/unpack.ts'
import { FetchFailedError, UnusableSourceError } from './child/errors.ts'
import type { FetchAbout, FetchJob, FetchResult } from './child/job.ts'
import type { DownloadSlot } from './download-slots.ts'
import { watchSpeed } from './speed-limit.ts'

/** Libraries that the process reads its archives with. */
const LIBRARIES = ['tar', 'yauzl', 'ignore']

export type FetchInit = {
  readonly clock: Clock
  readonly egress: Egress
  /** an empty folder, for the process alone */
  readonly dir: string
  readonly signal: AbortSignal
  /** the download slot that it holds, where others may want it */
  readonly slot?: DownloadSlot | undefined
  /** called now and then with how many bytes have come */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** How often progress is reported. */
const PROGRESS_MS = 250

/**
 * Downloads a source in a process that has this egress and no other, and may write the empty folder `dir` alone. `take` gets
 * the canonical archive as it comes, and what the process says of it before; the process's own account of a failure goes before what `take` makes of it.
 */
export async function fetchInProcess(
  job: Omit<FetchJob, 'authorities'> & Partial<Pick<FetchJob, 'authorities'>>,
  { clock, egress, dir, signal, slot, onBytes }: FetchInit,
  take: (archive: Readable, about: Promise<FetchAbout | undefined>) => Promise<void>,
): Promise<Extract<FetchResult, { done: true }>> {
  await chownToUnpackUser(dir)
  signal.throwIfAborted()
  const child = startProcess(
    { kind: 'fetch', program: process.execPath, args: await childArgs(dir), cwd: dir },
    { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] },
  )
  const [input, stdout, stderrStream, gateway, answers] = child.stdio as unknown as [
    Writable,
    Readable,
    Readable,
    Duplex,
    Readable,
  ]
  // what is not read yet when a process exits is lost, so it is read at once, and waits here for `take`
  const archive = stdout.pipe(new PassThrough())
  using _kill = addAbortListener(signal, () => void child.kill('SIGKILL'))
  using _end = { [Symbol.dispose]: () => void child.kill('SIGKILL') }
  await using served = serveEgress(egress, gateway, { maxBytes: DOCUMENTS_BYTES + job.maxBytes })
  let slow: string | undefined
  const onSlow = (problem: string) => {
    slow = problem
    child.kill('SIGKILL')
  }
  using _watch = watchSpeed(clock, { served, othersWait: () => slot?.othersWait() === true, slot, onSlow })
  using _progress = onBytes && clock.every(PROGRESS_MS, () => onBytes(served.bytes))
  // a child that died early takes no job; its exit tells why
  input.on('error', () => {})
  const authorities = [...getCACertificates('extra'), ...(job.authorities ?? [])]
  input.write(`${JSON.stringify({ ...job, authorities } satisfies FetchJob)}\n`)
  // not its close: that waits for the gateway, which is this side's to end
  const exited = once(child, 'exit')
  const said = readAnswers(answers)
  const [taken, answer, stderr] = await Promise.all([
    take(archive, said.first.then(aboutOf)).then(
      () => undefined,
      (error: unknown) => {
        // a stream that the process ended itself is followed by its reason
        if (!archive.readableEnded) child.kill('SIGKILL')
        return { error }
      },
    ),
    said.all,
    boundedText(stderrStream),
    exited,
  ])
  signal.throwIfAborted()
  if (slow !== undefined) throw new FetchFailedError('unavailable', slow)
  return outcomeOf(child, resultOf(answer), { stderr, taken })
}

/** What the process says it has done; throws why it has not. `taken`: what went wrong with taking its archive in. */
function outcomeOf(
  child: ChildProcess,
  result: FetchResult | undefined,
  { stderr, taken }: { stderr: string; taken: { error: unknown } | undefined },
): Extract<FetchResult, { done: true }> {
  if (result?.done === false) throw new FetchFailedError(result.why, result.message)
  if (result === undefined && hasOverspent(child, stderr)) {
    throw new FetchFailedError('unusable', 'it takes more memory or processor time than a download may have')
  }
  if (taken !== undefined && !(result === undefined && hasFailed(child))) throw taken.error
  if (result === undefined) {
    const problem = sanitizeText(stderr.trim().split('\n').at(-1) ?? '', 200)
    throw new UnavailableError(`the downloading process ended without an answer (${problem})`)
  }
  return result
}

/** It ended by itself, and not well: what came of its archive says nothing then. */
function hasFailed({ exitCode }: { exitCode: number | null }): boolean {
  return exitCode !== null && exitCode !== 0
}

/** The kernel ended it, or memory that it asked for was refused. It would be so again. */
export function hasOverspent(
  { exitCode, killed, signalCode }: Pick<ChildProcess, 'exitCode' | 'killed' | 'signalCode'>,
  stderr: string,
): boolean {
  return (signalCode !== null && !killed) || exitCode === 134 || /out of memory|allocation failed|ENOMEM/i.test(stderr)
}

/** What the process says of itself: a sentence. A process that was taken over says no more. */
const MAX_ANSWER_BYTES = 16 * 1024

async function boundedText(stream: Readable, onText?: (text: string) => void): Promise<string> {
  let said = ''
  for await (const piece of stream.setEncoding('utf8') as AsyncIterable<string>) {
    if (said.length < MAX_ANSWER_BYTES) said += piece
    onText?.(said)
  }
  return said.slice(0, MAX_ANSWER_BYTES)
}

/** Its first line, as soon as that is whole, and all lines. */
function readAnswers(stream: Readable): { first: Promise<string>; all: Promise<string> } {
  const first = Promise.withResolvers<string>()
  const all = boundedText(stream, (text) => {
    if (text.includes('\n')) first.resolve(text)
  })
  all.then(first.resolve, first.reject)
  first.promise.catch(() => {})
  return { first: first.promise, all }
}

/** What metadata may take beside the file itself. */
const DOCUMENTS_BYTES = 128 * 1024 * 1024

const aboutSchema = z.object({
  integrity: z.enum(['strong', 'sha1', 'none']),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
})

const resultSchema = z.discriminatedUnion('done', [
  z.object({
    done: z.literal(true),
    ...aboutSchema.shape,
    digest: z.string().optional(),
  }),
  z.object({
    done: z.literal(false),
    why: z.enum(['unusable', 'unavailable', 'too-large', 'disk-full']),
    message: z.string(),
  }),
])

/** What it says before the archive; undefined where it failed before it had one. */
function aboutOf(answer: string): FetchAbout | undefined {
  const [line = ''] = answer.split('\n', 1)
  return line === '' ? undefined : aboutSchema.safeParse(JSON.parse(line)).data
}

function resultOf(answer: string): FetchResult | undefined {
  const line = answer.trimEnd().split('\n').at(-1) ?? ''
  return line === '' ? undefined : resultSchema.parse(JSON.parse(line))
}

async function childArgs(dir: string): Promise<string[]> {
  const user = unpackUser()
  const entry = [...entryFlags(import.meta.url), entryFile(import.meta.url, './child/main')]
  const libraries = [...new Set(LIBRARIES.map(libraryFolder))].map((folder) => `--allow-fs-read=${folder}`)
  const confined = confinement(await realpath(dir), FETCH_HEAP_MB)
  const wire = `--allow-fs-read=${fileURLToPath(new URL('../../../protocols', import.meta.url))}`
  return [...confined, wire, ...libraries, ...entry, ...(user === undefined ? [] : [`${user}`])]
}

/** The `node_modules` that holds the library and what it needs. */
export function libraryFolder(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new UnusableSourceError(`the library ${name} is missing: install the package again`)
  return dirname(dirname(file))
}
