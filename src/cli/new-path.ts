import { lstat, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InputError } from '../base/errors.ts'

/** Throws an InputError where something is there, or no folder that it could be in. */
export async function checkNewPath(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) !== undefined) {
    throw new InputError(`${path} is there already; name another path`)
  }
  const folder = dirname(path)
  const there = await stat(folder).catch(() => undefined)
  if (there === undefined)
    throw new InputError(`the folder ${folder} is not there; make it with \`mkdir -p ${folder}\``)
  if (!there.isDirectory()) throw new InputError(`${folder} is no folder; name a path in a folder`)
}
