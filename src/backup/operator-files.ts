import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { InputError } from '../base/errors.ts'
import { formatBytes } from '../base/format.ts'
import { API_TOKEN_FILE } from '../config/index.ts'
import { MAX_FOLDER_BYTES, MAX_FOLDER_FILES } from './constants.ts'

export type OperatorFile = { readonly path: string; readonly mode: number }

/**
 * What of an operator's folder belongs into a backup: all files but those of the node (`dataDir`), and the token, of which
 * a restored node gets a new one. `left`: paths that are not in the backup, because they are links, sockets or other special files.
 */
export async function listOperatorFiles(
  dir: string,
  dataDir: string,
): Promise<{ files: OperatorFile[]; left: string[] }> {
  const files: OperatorFile[] = []
  const left: string[] = []
  let bytes = 0

  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const whole = join(folder, entry.name)
      const path = relative(dir, whole).split(sep).join('/')
      if (whole === dataDir || path === API_TOKEN_FILE) continue
      if (entry.isDirectory()) await walk(whole)
      else if (entry.isFile()) await add(whole, path)
      else left.push(path)
    }
  }

  async function add(whole: string, path: string): Promise<void> {
    const { size, mode } = await lstat(whole)
    bytes += size
    files.push({ path, mode: mode & 0o777 })
    if (bytes <= MAX_FOLDER_BYTES && files.length <= MAX_FOLDER_FILES) return
    throw new InputError(
      `${dir} holds more than ${MAX_FOLDER_FILES} files or ${formatBytes(MAX_FOLDER_BYTES)} beside its data; move what is no setting out of it`,
    )
  }

  await walk(dir)
  return { files, left }
}
