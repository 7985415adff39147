import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, InputError } from '../base/errors.ts'

/**
 * Makes a folder and what is missing above it. Not `recursive: true`, which tries for ever where a system answers
 * "no such folder" although the folder above is there (/proc does).
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      if (await isFolder(path)) return
      throw new InputError(`${path} is no folder`, { cause: error })
    }
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path || (await isFolder(dirname(path)))) throw error
    await makeFolder(dirname(path), mode)
    await makeFolder(path, mode)
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}
