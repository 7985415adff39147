import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../../base/errors.ts'
import { OUTPUTS_GONE, type TaskOutputPath, type TaskOutputs } from '../../outputs.ts'

/** The file that says in one sentence why there is nothing. */
export const PROBLEM = 'problem'
const MAX_PROBLEM_BYTES = 512
/** Whatever lies there: no link is followed, and a pipe does not block. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What the shim of a run copied into `dir`. */
export async function taskOutputs(dir: string, paths: readonly string[]): Promise<TaskOutputs> {
  try {
    const names = await readdir(dir)
    if (!names.includes(PROBLEM)) return { paths: tarsIn(dir, paths) }
    await using file = await open(join(dir, PROBLEM), READ)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_PROBLEM_BYTES), 0, MAX_PROBLEM_BYTES, null)
    return { problem: buffer.toString('utf8', 0, bytesRead) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return { problem: OUTPUTS_GONE }
    throw error
  }
}

async function* tarsIn(dir: string, paths: readonly string[]): AsyncGenerator<TaskOutputPath> {
  for (const [index, path] of paths.entries()) {
    const file = await open(join(dir, `${index}.tar`), READ).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error
    })
    yield { path, tar: file?.createReadStream() }
  }
}
