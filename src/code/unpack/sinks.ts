import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf } from '../../base/errors.ts'
import { BadArchiveError } from '../errors.ts'
import { quoted, type TarEntry } from '../tar-format.ts'
import type { TarSink } from '../tar-read.ts'

/** The files on the disk are not those of the archive. */
export class DiffersError extends Error {}

/** Nobody writes to unpacked code: it is shared, and it was checked. */
const modeOf = ({ executable }: TarEntry) => (executable ? 0o555 : 0o444)

/** Writes files into the empty folder `target`. Each must be new, and nothing that an archive holds makes a link. */
export function writingSink(target: string): TarSink {
  let file = -1
  let folder = target
  return {
    file(entry) {
      const path = join(target, entry.path)
      if (dirname(path) !== folder) {
        folder = dirname(path)
        mkdirSync(folder, { recursive: true, mode: 0o755 })
      }
      try {
        file = openSync(path, 'wx', modeOf(entry))
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'EISDIR') throw error
        throw new BadArchiveError(
          `${quoted(entry.path)} and another file of the archive are one file to this file system`,
        )
      }
    },
    data(bytes) {
      for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(file, bytes, offset)
    },
    close: () => closeSync(file),
  }
}

/** Compares the folder `target` with the archive; throws a DiffersError at the first difference. */
export function comparingSink(target: string): TarSink & { end(entries: number): void } {
  let file = -1
  return {
    file(entry) {
      try {
        file = openSync(join(target, entry.path), 'r')
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
    end(entries) {
      if (readdirSync(target, { recursive: true }).length !== entries) throw new DiffersError('there are other files')
    },
  }
}
