import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { lstat, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, InputError } from '../base/errors.ts'
import { READ_BYTES } from './constants.ts'
import { IGNORE_FILE, type Ignore, parseIgnore } from './ignore.ts'
import { quoted } from './tar-format.ts'
import type { PackEntry } from './tar-write.ts'

/**
 * The files of a folder that its `.thundercloudignore` does not leave out (see ignore.ts). A file is executable where
 * its owner may execute it. Links and special files are refused by name, because leaving them out in silence would make
 * a program that works here and nowhere else.
 */
export async function listFolder(
  dir: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<PackEntry[]> {
  const stats = await lstat(dir).catch((cause) => {
    throw new InputError(`${dir} can not be read (${codeOf(cause) ?? 'unknown'}); name a folder`, { cause })
  })
  if (!stats.isDirectory()) throw new InputError(`${dir} is no folder; name the folder that holds the code`)
  const ignore = parseIgnore(await readIgnoreFile(dir))
  const entries: PackEntry[] = []
  await walk({ dir, ignore, entries, signal: options.signal }, '')
  if (entries.length === 0) throw new InputError(`${dir} has no files to pack`)
  return entries
}

type Walk = { dir: string; ignore: Ignore; entries: PackEntry[]; signal: AbortSignal | undefined }

async function walk(state: Walk, folder: string): Promise<void> {
  state.signal?.throwIfAborted()
  const names = await readdir(join(state.dir, folder), { encoding: 'buffer' })
  for (const bytes of names) {
    const path = folder === '' ? bytes.toString() : `${folder}/${bytes.toString()}`
    if (!isUtf8(bytes)) throw new InputError(`${quoted(path)} has a name that is not UTF-8; rename it`)
    const full = join(state.dir, path)
    const stats = await lstat(full)
    if (state.ignore(path, stats.isDirectory())) continue
    if (stats.isDirectory()) {
      await walk(state, path)
    } else if (stats.isFile()) {
      const executable = (stats.mode & 0o100) !== 0
      state.entries.push({ path, executable, size: stats.size, open: ({ signal }) => readPieces(full, path, signal) })
    } else {
      const kind = stats.isSymbolicLink() ? 'a symbolic link' : 'no regular file'
      throw new InputError(
        `${quoted(path)} is ${kind}; an archive holds regular files only: replace it, or name it in ${IGNORE_FILE}`,
      )
    }
  }
}

async function* readPieces(full: string, path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  // not through a link that took the file's place since it was listed, and not waiting for a named pipe
  const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) => {
    throw new InputError(`${quoted(path)} can not be read (${codeOf(cause) ?? 'unknown'})`, { cause })
  })
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(READ_BYTES) })
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function readIgnoreFile(dir: string): Promise<string> {
  try {
    return await readFile(join(dir, IGNORE_FILE), 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return ''
    throw new InputError(`${IGNORE_FILE} can not be read (${codeOf(cause) ?? 'unknown'})`, { cause })
  }
}
