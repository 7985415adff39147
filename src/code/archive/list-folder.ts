import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { lstat, open, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, InputError } from '../../base/errors.ts'
import { MAX_NAMED, READ_BYTES } from '../constants.ts'
import { linksOf } from './folder-links.ts'
import { IGNORE_FILE, type Ignore, parseIgnore } from './ignore.ts'
import { quoted } from './tar-format.ts'
import type { PackEntry, PackFile } from './tar-write.ts'

/**
 * The files and links of a folder that its `.thundercloudignore` does not leave out (see ignore.ts). A file is executable
 * where its owner may execute it. Special files, and links that lead out of what is packed (see folder-links.ts), are
 * refused by name, because leaving them out in silence would make a program that works here and nowhere else.
 */
export async function listFolder(
  dir: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<PackEntry[]> {
  const stats = await lstat(dir).catch((cause) => {
    throw new InputError(`${dir} cannot be read (${errnoOf(cause) ?? 'unknown'}); name a folder`, { cause })
  })
  if (!stats.isDirectory()) throw new InputError(`${dir} is no folder; name the folder that holds the code`)
  const ignore = parseIgnore(await readIgnoreFile(dir))
  const found: Found = { files: [], links: new Map(), problems: [] }
  await walk({ dir, ignore, found, signal: options.signal }, '')
  const { links, problems } = linksOf({ files: found.files.map(({ path }) => path), links: found.links })
  const all = [...found.problems, ...problems]
  if (all.length > 0) throw new InputError(refusalOf(all))
  if (found.files.length === 0) throw new InputError(`${dir} has no files to pack`)
  return [...found.files, ...links]
}

type Found = { files: PackFile[]; links: Map<string, string>; problems: string[] }
type Walk = { dir: string; ignore: Ignore; found: Found; signal: AbortSignal | undefined }

async function walk(state: Walk, folder: string): Promise<void> {
  const { dir, found, ignore, signal } = state
  signal?.throwIfAborted()
  const names = await readdir(join(dir, folder), { encoding: 'buffer' })
  for (const bytes of names) {
    const path = folder === '' ? bytes.toString() : `${folder}/${bytes.toString()}`
    if (!isUtf8(bytes)) {
      found.problems.push(`${quoted(path)} has a name that is not UTF-8`)
      continue
    }
    const full = join(dir, path)
    const stats = await lstat(full)
    if (ignore(path, stats.isDirectory())) continue
    if (stats.isDirectory()) {
      await walk(state, path)
    } else if (stats.isFile()) {
      const executable = (stats.mode & 0o100) !== 0
      found.files.push({ path, executable, size: stats.size, open: ({ signal }) => readPieces(full, path, signal) })
    } else if (stats.isSymbolicLink()) {
      const target = await readlink(full, 'buffer')
      if (isUtf8(target)) found.links.set(path, target.toString())
      else found.problems.push(`${quoted(path)} is a link whose target is not UTF-8`)
    } else {
      found.problems.push(`${quoted(path)} is neither a file nor a folder nor a link`)
    }
  }
}

/** All problems at once, up to a readable number, so that fixing one does not reveal the next. */
function refusalOf(problems: readonly string[]): string {
  const way = `replace or rename ${problems.length === 1 ? 'it, or name it' : 'them, or name them'} in ${IGNORE_FILE}`
  const count = problems.length === 1 ? '' : `${problems.length} entries cannot be packed: `
  const more = problems.length > MAX_NAMED ? `; and ${problems.length - MAX_NAMED} more` : ''
  return `${count}${problems.slice(0, MAX_NAMED).join('; ')}${more}; ${way}`
}

async function* readPieces(full: string, path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  // not through a link that took the file's place since it was listed, and not waiting for a named pipe
  const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) => {
    throw new InputError(`${quoted(path)} cannot be read (${errnoOf(cause) ?? 'unknown'})`, { cause })
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
    if (errnoOf(cause) === 'ENOENT') return ''
    throw new InputError(`${IGNORE_FILE} cannot be read (${errnoOf(cause) ?? 'unknown'})`, { cause })
  }
}
