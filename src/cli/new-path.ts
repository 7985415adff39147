import { lstat, mkdtemp, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, InputError } from '../base/errors.ts'

/** Throws an InputError where something is there, or nothing can be made there. */
export async function checkNewPath(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) !== undefined) {
    throw new InputError(`${path} is there already; name another path`)
  }
  const folder = dirname(path)
  const there = await stat(folder).catch(() => undefined)
  if (there === undefined)
    throw new InputError(`the folder ${folder} is not there; make it with \`mkdir -p ${folder}\``)
  if (!there.isDirectory()) throw new InputError(`${folder} is no folder; name a path in a folder`)
  try {
    await rmdir(await mkdtemp(join(folder, '.thundercloud-')))
  } catch (error) {
    const why = errnoOf(error) ?? 'it fails'
    throw new InputError(`nothing can be made in ${folder} (${why}); name a path in another folder`, { cause: error })
  }
}
