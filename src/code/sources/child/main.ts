import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errnoOf, InputError, messageOf } from '../../../base/errors.ts'
import { IGNORE_FILE, readIgnoreText } from '../../archive/ignore.ts'
import { entriesUnder, packList, type SourceEntry } from '../../archive/pack-list.ts'
import { packEntries } from '../../archive/tar-write.ts'
import { TooLargeError } from '../../errors.ts'
import { download } from './download.ts'
import { openGateway } from './gateway.ts'
import { createHttp } from './http.ts'
import { ANSWER_FD, credentialsOf, type FetchAbout, type FetchFailure, type FetchJob, type FetchResult } from './job.ts'
import { downloadImage, findImage, isFindImageJob, isImageJob } from './oci.ts'
import { createStagingFile } from './staging-file.ts'

/**
 * The process that downloads code from a source that is not the mesh. It may read this program and write its own folder; it
 * has no network but the gateway, starts nothing, and is nobody. What it makes of a source is a canonical archive on its
 * standard output, which the node reads like one from a peer.
 *
 * `main [uid]`: where the node is root it becomes this user first.
 */
const user = process.argv[2]
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

const lines = createInterface({ input: process.stdin })
lines.once('close', () => process.stdin.destroy())
lines.once('line', (line) => {
  void run(JSON.parse(line) as FetchJob)
    .catch(
      (error): FetchResult =>
        isOutOfMemory(error)
          ? { done: false, why: 'unusable', message: 'it takes more memory than a download may have' }
          : { done: false, why: failureOf(error), message: messageOf(error) },
    )
    .then((result) => {
      writeSync(ANSWER_FD, `${JSON.stringify(result)}\n`)
      process.stdin.destroy()
    })
})

async function run(job: FetchJob): Promise<FetchResult> {
  // it ends with the node: then the way out has gone, and every download breaks off
  using gateway = openGateway()
  const http = createHttp(gateway, { authorities: job.authorities, credentials: credentialsOf(job) })
  if (isFindImageJob(job)) return { done: true, integrity: 'strong', digest: await findImage(job, http) }
  if (isImageJob(job)) {
    await pipeline(Readable.from(downloadImage(job, http)), process.stdout)
    return { done: true, integrity: 'strong' }
  }
  using staging = createStagingFile('staging', job)
  const inner = () => createStagingFile('inner', job)
  const { tree, entries, ...about } = await download(job, http, staging, inner)
  const below = entriesUnder(entries, tree)
  const packed = packList(below, await ignoreText(below))
  writeSync(ANSWER_FD, `${JSON.stringify(about satisfies FetchAbout)}\n`)
  await pipeline(Readable.from(packEntries(packed)), process.stdout)
  return { done: true, ...about }
}

async function ignoreText(entries: readonly SourceEntry[]): Promise<string> {
  const file = entries.find(({ path }) => path === IGNORE_FILE)
  return file === undefined || !('open' in file) ? '' : await readIgnoreText(file.open({}))
}

function failureOf(error: unknown): FetchFailure {
  const errno = errnoOf(error)
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return 'disk-full'
  if (error instanceof TooLargeError) return 'too-large'
  return error instanceof InputError ? 'unusable' : 'unavailable'
}

/** A buffer that the kernel gives no memory for. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && (error instanceof RangeError || errnoOf(error) === 'ERR_MEMORY_ALLOCATION_FAILED')
}
