import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { errnoOf, InputError, messageOf } from './errors.ts'

/** For a file that was not there. */
const NEW_FILE_MODE = 0o644

type Owner = { readonly mode: number; readonly uid: number; readonly gid: number }

/**
 * Puts a text in the place of a file in one step, and keeps what was there beside it, as `<file>.previous`, with the
 * same mode. A file that says this already is left alone.
 */
export async function replaceFile(path: string, text: string): Promise<{ undo(): Promise<void> }> {
  try {
    // behind a link, the file itself is replaced and not the link
    const file = await realpath(path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return path
      throw error
    })
    const before = await readFile(file).catch(() => undefined)
    if (before?.toString() === text) return { undo: async () => {} }
    const info = await stat(file).catch(() => undefined)
    const owner = info && { mode: info.mode & 0o777, uid: info.uid, gid: info.gid }
    if (before !== undefined) await writeFileAtomic(`${file}.previous`, before, owner)
    await writeFileAtomic(file, text, owner)
    return { undo: () => (before === undefined ? rm(file) : writeFileAtomic(file, before, owner)) }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new InputError(`${path} cannot be replaced: ${messageOf(error)}`, { cause: error })
  }
}

/** Readers find the old content or the new, never a part. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  owner?: Pick<Owner, 'mode'> & Partial<Owner>,
): Promise<void> {
  const draft = `${path}.${process.pid}.draft`
  try {
    const handle = await open(draft, 'w', owner?.mode ?? NEW_FILE_MODE)
    try {
      if (owner !== undefined) {
        await handle.chmod(owner.mode)
        // an operator who works as root must not take the file away from the node's user
        const { uid, gid } = owner
        if (process.getuid?.() === 0 && uid !== undefined && gid !== undefined) await handle.chown(uid, gid)
      }
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
