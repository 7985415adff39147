import { addAbortListener, once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getCACertificates } from 'node:tls'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { type Egress, serveEgress } from '../../egress/index.ts'
import { startProcess } from '../../process/index.ts'
import { FETCH_HEAP_MB } from '../constants.ts'
import { FetchFailedError, UnusableSourceError } from '../fetcher/errors.ts'
import type { FetchJob, FetchResult } from '../fetcher/job.ts'
import { giveToUser, unpackUser } from '../unpack/owner.ts'
import { confinement } from '../unpack/unpack.ts'

/** Libraries that the process reads its archives with. */
const LIBRARIES = ['tar', 'yauzl', 'ignore', 'isomorphic-git']

/**
 * Downloads a source in a process that has this egress and no other, and may write the empty folder `dir` alone. `take` gets
 * the canonical archive as it comes; the process's own account of a failure goes before what `take` makes of it.
 */
export async function fetchInProcess(
  job: Omit<FetchJob, 'authorities'>,
  { egress, dir, signal }: { egress: Egress; dir: string; signal: AbortSignal },
  take: (archive: Readable) => Promise<void>,
): Promise<Extract<FetchResult, { done: true }>> {
  await giveToUser(dir)
  signal.throwIfAborted()
  const child = startProcess(
    { kind: 'fetch', program: process.execPath, args: await childArgs(dir), cwd: dir },
    { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] },
  )
  const [input, archive, errors, gateway, answers] = child.stdio as unknown as [
    Writable,
    Readable,
    Readable,
    Duplex,
    Readable,
  ]
  using _kill = addAbortListener(signal, () => void child.kill('SIGKILL'))
  await using _gateway = serveEgress(egress, gateway, { maxBytes: DOCUMENTS_BYTES + job.maxBytes })
  // a child that died early takes no job; its exit tells why
  input.on('error', () => {})
  input.write(`${JSON.stringify({ ...job, authorities: getCACertificates('extra') } satisfies FetchJob)}\n`)
  const closed = once(child, 'close')
  const [taken, answer, complaint] = await Promise.all([
    take(archive).then(
      () => undefined,
      (error: unknown) => {
        child.kill('SIGKILL')
        return { error }
      },
    ),
    text(answers),
    text(errors),
    closed,
  ])
  signal.throwIfAborted()
  const result = resultOf(answer)
  if (result?.done === false) throw new FetchFailedError(result.why, result.message)
  if (taken !== undefined) throw taken.error
  if (result === undefined) {
    const problem = sanitizeText(complaint.trim().split('\n').at(-1) ?? '', 200)
    throw new UnavailableError(`the downloading process ended without an answer (${problem})`)
  }
  return result
}

/** What metadata may take beside the file itself. */
const DOCUMENTS_BYTES = 128 * 1024 * 1024

function resultOf(answer: string): FetchResult | undefined {
  return answer === '' ? undefined : (JSON.parse(answer) as FetchResult)
}

async function childArgs(dir: string): Promise<string[]> {
  const user = unpackUser()
  const entry = [...entryFlags(import.meta.url), entryFile(import.meta.url, '../fetcher/main')]
  const libraries = [...new Set(LIBRARIES.map(libraryFolder))].map((folder) => `--allow-fs-read=${folder}`)
  const confined = confinement(await realpath(dir), FETCH_HEAP_MB)
  return [...confined, ...libraries, ...entry, ...(user === undefined ? [] : [`${user}`])]
}

/** The `node_modules` that holds the library and what it needs. */
function libraryFolder(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new UnusableSourceError(`the library ${name} is missing: install the package again`)
  return dirname(dirname(file))
}
