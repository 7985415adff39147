import { createHash } from 'node:crypto'
import { read } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { errnoOf, messageOf } from '../../base/errors.ts'
import type { TarLink } from '../archive/tar-format.ts'
import { createTarReader, type TarReader, type TarSink } from '../archive/tar-read.ts'
import { BadArchiveError, HashMismatchError, TooLargeError } from '../errors.ts'
import { TAR_FD, type UnpackJob, type UnpackResult } from './job.ts'
import { comparingSink, DiffersError, writingSink } from './sinks.ts'

/**
 * The process that reads other people's archives. It imports nothing but Node and this folder's own code, so that it
 * starts quickly and may read little. Each chunk is hashed before a byte of it is looked at.
 *
 * `child [uid]`: where the node is root it becomes this user first. Its own code may lie where only root can read it.
 */
const user = process.argv[2]
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

const readFrom = promisify(read)
const stopped = new AbortController()
const lines = createInterface({ input: process.stdin })
lines.once('close', () => stopped.abort(new Error('the node has gone')))
lines.once('line', (line) => {
  void run(JSON.parse(line) as UnpackJob)
    .catch((error): UnpackResult => ({ done: false, why: kindOf(error), message: messageOf(error) }))
    .then((result) => process.stdout.write(`${JSON.stringify(result)}\n`))
    .finally(() => process.stdin.destroy())
})

async function run(job: UnpackJob): Promise<UnpackResult> {
  // modes are what the archive says, whatever the operator's umask
  process.umask(0o022)
  const comparing = job.task === 'check' ? comparingSink('.') : undefined
  const sink = comparing ?? writingSink('.')
  let bytes = 0
  const links: TarLink[] = []
  const counting: TarSink = {
    ...sink,
    link: (entry) => {
      if (comparing === undefined) links.push(entry)
      sink.link(entry)
    },
    data: (piece: Uint8Array) => {
      bytes += piece.byteLength
      sink.data(piece)
    },
  }
  // all headers are seen before the first file is written: what is too much leaves nothing behind
  if (job.task === 'unpack') await readTar(job, createTarReader(NOWHERE, job.limits))
  const reader = createTarReader(counting, job.limits)
  await readTar(job, reader)
  comparing?.end(reader.entries)
  return { done: true, files: reader.files, entries: reader.entries, bytes, links }
}

const NOWHERE: TarSink = { file() {}, data() {}, close() {}, link() {} }

async function readTar(job: UnpackJob, reader: TarReader): Promise<void> {
  for (const [index, hash] of job.hashes.entries()) {
    stopped.signal.throwIfAborted()
    const length = Math.min(job.chunkBytes, job.size - index * job.chunkBytes)
    const { bytesRead, buffer } = await readFrom(TAR_FD, new Uint8Array(length), 0, length, index * job.chunkBytes)
    if (bytesRead !== length || createHash('sha256').update(buffer).digest('hex') !== hash) {
      throw new HashMismatchError(`chunk ${index} of the archive is damaged on this disk`)
    }
    reader.push(buffer)
  }
  reader.end()
}

function kindOf(error: unknown): Exclude<UnpackResult, { done: true }>['why'] {
  if (error instanceof BadArchiveError) return 'bad-archive'
  if (error instanceof TooLargeError) return 'too-large'
  if (error instanceof HashMismatchError) return 'wrong-bytes'
  if (error instanceof DiffersError) return 'differs'
  return errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT' ? 'disk-full' : 'failed'
}
