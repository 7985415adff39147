import { isUtf8 } from 'node:buffer'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { errnoOf, InputError } from '../../base/errors.ts'
import { READ_BYTES } from '../constants.ts'
import type { Ignore } from './ignore.ts'
import { HEAD_BYTES, type SourceEntry } from './pack-list.ts'
import { quoted } from './tar-format.ts'

export type WalkOptions = {
  readonly signal?: AbortSignal | undefined
  /** for programs that are asked about a folder; default: the system's */
  readonly clock?: Clock | undefined
}

/** All that lies in a folder. Nothing inside a folder that `ignore` names is looked at. */
export async function walkFolder(dir: string, ignore: Ignore, options: WalkOptions): Promise<SourceEntry[]> {
  const found: SourceEntry[] = []
  const walk = async (folder: string): Promise<void> => {
    options.signal?.throwIfAborted()
    for (const bytes of await readdir(join(dir, folder), { encoding: 'buffer' })) {
      const path = folder === '' ? bytes.toString() : `${folder}/${bytes.toString()}`
      if (!isUtf8(bytes)) {
        found.push({ path, problem: NOT_UTF8 })
        continue
      }
      const stats = await lstat(join(dir, path))
      if (ignore(path, stats.isDirectory())) continue
      if (stats.isDirectory()) await walk(path)
      else found.push(await folderEntry(dir, path, stats))
    }
  }
  await walk('')
  return found
}

export const NOT_UTF8 = 'has a name that is not UTF-8'

/** A file or link of the folder, or what else cannot be packed. */
export async function folderEntry(dir: string, path: string, stats: Stats): Promise<SourceEntry> {
  const full = join(dir, path)
  if (stats.isFile()) {
    const head = await readHead(full, path)
    return { path, size: stats.size, head, open: ({ signal }) => readPieces(full, path, signal) }
  }
  if (!stats.isSymbolicLink()) return { path, problem: 'is neither a file nor a folder nor a link' }
  const target = await readlink(full, 'buffer')
  return isUtf8(target) ? { path, target: target.toString() } : { path, problem: 'is a link whose target is not UTF-8' }
}

async function readHead(full: string, path: string): Promise<Uint8Array> {
  await using file = await openFile(full, path)
  const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(HEAD_BYTES) })
  return buffer.subarray(0, bytesRead)
}

async function* readPieces(full: string, path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await using file = await openFile(full, path)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(READ_BYTES) })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Not through a link that took the file's place since it was listed, and not waiting for a named pipe. */
async function openFile(full: string, path: string): Promise<FileHandle> {
  return await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) => {
    throw new InputError(`${quoted(path)} cannot be read (${errnoOf(cause) ?? 'unknown'})`, { cause })
  })
}
