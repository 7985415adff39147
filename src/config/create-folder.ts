import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errnoOf, InputError, systemMessageOf } from '../base/errors.ts'
import { stagingPrefix, sweepStaging } from '../base/os/staging-folder.ts'
import { type Rng, systemRng } from '../base/rng.ts'
import { makeFolder } from './folders.ts'

/**
 * Makes a folder. `fill` writes it beside its place, and it is moved there in one step: the folder is whole or not
 * there. Throws an InputError where `dir` is not empty, or cannot be written.
 */
export async function createFolder(
  dir: string,
  { rng = systemRng(), signal }: { rng?: Pick<Rng, 'uuid'> | undefined; signal?: AbortSignal | undefined },
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(dir)
  await refuseUnlessEmpty(dir)
  const temporary = `${stagingPrefix(target, 'init')}${rng.uuid()}`
  try {
    await makeFolder(dirname(target))
    await sweepStaging(target, 'init')
    await fill(temporary)
    signal?.throwIfAborted()
    await moveInto(temporary, target, dir)
  } catch (error) {
    if (error instanceof InputError || errnoOf(error) === undefined) throw error
    throw new InputError(`${dir} cannot be written: ${systemMessageOf(error)}`, { cause: error })
  } finally {
    // after the move there is nothing left under this name
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
  }
}

/** Throws an InputError where `dir` is there and is no empty folder. */
export async function refuseUnlessEmpty(dir: string): Promise<void> {
  const entries = await readdir(resolve(dir)).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    if (errnoOf(error) === 'ENOTDIR')
      throw new InputError(`${dir} is a file; name a new or an empty folder`, { cause: error })
    throw new InputError(`${dir} cannot be read: ${systemMessageOf(error)}`, { cause: error })
  })
  if (entries.length > 0) throw notEmpty(dir)
}

function notEmpty(dir: string, cause?: unknown): InputError {
  return new InputError(`${dir} is not empty; name a new or an empty folder`, { cause })
}

/** Moves the folder over nothing, or over an empty folder, which some systems want gone first. */
async function moveInto(temporary: string, target: string, dir: string): Promise<void> {
  try {
    if (process.platform === 'win32') await rmdir(target).catch(() => {})
    await rename(temporary, target)
  } catch (error) {
    const taken = ['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')
    throw taken ? notEmpty(dir, error) : error
  }
}
