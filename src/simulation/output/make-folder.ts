import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, InputError, messageOf } from '../../base/errors.ts'

/** A path from the command line may have any number of parts. */
const MAX_MISSING = 256

/**
 * Makes a folder, and those above it that are missing. `mkdir` of Node never ends where a file system denies that it lacks a
 * folder and yet makes none, as /proc does; here each folder is made once.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    for (const folder of await missing(path)) {
      await mkdir(folder).catch((error: unknown) => {
        // another program was faster
        if (errnoOf(error) !== 'EEXIST') throw error
      })
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new InputError(`${path} cannot be made: ${messageOf(error)}`, { cause: error })
  }
}

/** The highest first. */
async function missing(path: string): Promise<string[]> {
  const folders: string[] = []
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error
    })
    if (found?.isDirectory() === true || folder === dirname(folder)) return folders.reverse()
    if (found !== undefined) throw new InputError(`${path} cannot be made: ${folder} is no folder; name another one`)
    if (folders.length >= MAX_MISSING) throw new InputError(`${path} is too deep; name a folder nearer to the root`)
    folders.push(folder)
  }
}
