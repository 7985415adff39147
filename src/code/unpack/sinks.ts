import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { quoted, type TarFile } from '../archive/tar-format.ts'
import type { TarSink } from '../archive/tar-read.ts'
import { BadArchiveError } from '../errors.ts'

/** The files on the disk are not those of the archive. */
export class DiffersError extends Error {}

/** Unpacked code is read-only: it is shared, and it was checked. */
const modeOf = ({ executable }: TarFile) => (executable ? 0o555 : 0o444)

/**
 * Writes files into the empty folder `target`. Each must be new. Links are made when the archive has ended, and by the
 * node (see make-links.ts): until then none is there that a file could be written through.
 */
export function writingSink(target: string): TarSink {
  let file = -1
  let folder = target
  const enter = (into: string) => {
    if (into === folder) return
    folder = into
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOTDIR') throw error
      throw new BadArchiveError(`a folder and a file of the archive are one to this file system`)
    }
  }
  return {
    file(entry) {
      const path = join(target, entry.path)
      enter(dirname(path))
      try {
        file = openSync(path, 'wx', modeOf(entry))
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'EISDIR') throw error
        throw new BadArchiveError(
          `${quoted(entry.path)} and another file of the archive are one file to this file system`,
        )
      }
    },
    data(bytes) {
      for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(file, bytes, offset)
    },
    close: () => closeSync(file),
    link: (entry) => enter(dirname(join(target, entry.path))),
  }
}

/** A link in the place of a file is a difference, and a pipe there does not block. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Compares the folder `target` with the archive; throws a DiffersError at the first difference. */
export function comparingSink(target: string): TarSink & { end(entries: number): void } {
  let file = -1
  return {
    file(entry) {
      try {
        file = openSync(join(target, entry.path), READ)
      } catch {
        throw new DiffersError(`${quoted(entry.path)} is missing`)
      }
      const stats = fstatSync(file)
      if (!stats.isFile() || stats.size !== entry.size || (stats.mode & 0o777) !== modeOf(entry)) {
        throw new DiffersError(`${quoted(entry.path)} has another size or mode`)
      }
    },
    data(bytes) {
      const found = Buffer.alloc(bytes.byteLength)
      for (let offset = 0; offset < found.byteLength; ) {
        const count = readSync(file, found, offset, found.byteLength - offset, null)
        if (count === 0) throw new DiffersError('a file is shorter')
        offset += count
      }
      if (found.compare(bytes) !== 0) throw new DiffersError('a file has other bytes')
    },
    close: () => closeSync(file),
    link(entry) {
      const found = linkAt(join(target, entry.path))
      if (found !== entry.target) throw new DiffersError(`${quoted(entry.path)} is not the link that it was`)
    },
    end(entries) {
      if (countOf(target) !== entries) throw new DiffersError('there are other files')
    },
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** All that is in a folder. Links are counted and not followed, which Node's own walk would do. */
function countOf(folder: string): number {
  let count = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    count += 1 + (entry.isDirectory() ? countOf(join(folder, entry.name)) : 0)
  }
  return count
}
