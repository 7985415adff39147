import { writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errnoOf, InputError, messageOf } from '../../base/errors.ts'
import { packEntries } from '../archive/tar-write.ts'
import { TooLargeError } from '../errors.ts'
import { createStagingFile } from '../sources/child/staging-file.ts'
import { readFrames } from './frames.ts'
import { type PackJob, type PackReport, REPORT_FD } from './job.ts'
import { readLeftTar } from './read-tar.ts'
import { createSelection, isBelow } from './selection.ts'

/**
 * The process that reads what a task has left: tars on its standard input. It may read this program and write its own
 * folder, and is nobody. It says what it found, then writes a canonical archive to its standard output, where there is a file.
 *
 * `child <job as JSON> [uid]`: where the node is root it becomes this user first.
 */
const [job = '{}', user] = process.argv.slice(2)
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

try {
  await pack(JSON.parse(job) as PackJob)
} catch (error) {
  report({ done: false, why: reasonOf(error), message: messageOf(error) })
}
process.stdin.destroy()

async function pack(limits: PackJob): Promise<void> {
  using staging = createStagingFile('staging', limits)
  const selection = createSelection(staging)
  const asked: string[] = []
  for await (const { path, pieces } of readFrames(process.stdin)) {
    asked.push(path)
    await readLeftTar(pieces, selection.into(partsOf(path)))
  }
  const files = selection.files()
  const missing = asked.filter((path) => !files.some((file) => isBelow(file.path, partsOf(path))))
  report({ done: true, files: files.length, missing, leftOut: selection.leftOut })
  if (files.length > 0) await pipeline(Readable.from(packEntries(files)), process.stdout)
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

function report(what: PackReport): void {
  writeSync(REPORT_FD, `${JSON.stringify(what)}\n`)
}

function reasonOf(error: unknown): Extract<PackReport, { done: false }>['why'] {
  const errno = errnoOf(error)
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return 'disk-full'
  if (error instanceof TooLargeError) return 'too-large'
  return error instanceof InputError ? 'unusable' : 'failed'
}
