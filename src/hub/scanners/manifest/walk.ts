import { closeSync, constants, lstatSync, openSync, readdirSync, readSync, realpathSync, type Stats } from 'node:fs'
import { join, sep } from 'node:path'
import type { CodeTree } from './types.ts'

/** Files are read in pieces of this size. */
const PIECE_BYTES = 1024 * 1024
/** What two pieces share, so that nothing is cut in two: longer than a key of 16,384 bits in PEM. */
const OVERLAP_BYTES = 16 * 1024

export type CodeFile = {
  /** below the folder */
  readonly path: string
  readonly absolutePath: string
  readonly mode: number
  readonly size: number
}

export type Piece = {
  /** each byte one character */
  readonly text: string
  readonly first: boolean
}

/** Every plain file below a folder. Links are not followed, and what cannot be read is an error. */
export function* listFiles(dir: string): Generator<CodeFile> {
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      if (!entry.isFile()) continue
      const { mode, size } = lstatSync(join(dir, path))
      yield { path, absolutePath: join(dir, path), mode, size }
    }
  }
}

/** The folder as a command sees it. A link that leads out of it leads to nothing. */
export function treeOf(dir: string): CodeTree {
  const root = realpathSync(dir)
  const at = (path: string): Stats | undefined => {
    try {
      const real = realpathSync(join(root, path))
      return real === root || real.startsWith(root + sep) ? lstatSync(real) : undefined
    } catch {
      return undefined
    }
  }
  return {
    file(path) {
      const stats = at(path)
      return stats?.isFile() === true ? { executable: (stats.mode & 0o111) !== 0 } : undefined
    },
    isFolder: (path) => at(path)?.isDirectory() === true,
  }
}

export function* readPieces({ absolutePath }: CodeFile): Generator<Piece> {
  const descriptor = openSync(absolutePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(PIECE_BYTES)
  try {
    for (let at = 0; ; at += PIECE_BYTES - OVERLAP_BYTES) {
      const bytes = readSync(descriptor, buffer, 0, PIECE_BYTES, at)
      if (bytes > 0) yield { text: buffer.toString('latin1', 0, bytes), first: at === 0 }
      if (bytes < PIECE_BYTES) return
    }
  } finally {
    closeSync(descriptor)
  }
}
