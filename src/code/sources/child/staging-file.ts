import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { formatBytes, formatCount } from '../../../base/format.ts'
import { HEAD_BYTES, type SourceEntry, type SourceFile } from '../../archive/pack-list.ts'
import { READ_BYTES } from '../../constants.ts'
import { TooLargeError } from '../../errors.ts'

export type StagingLimits = { readonly maxBytes: number; readonly maxEntries: number }

/**
 * What an archive holds, on its way to the canonical one: contents one after another in one file, names in memory. No name
 * of a stranger becomes a name on this disk, so none can lead anywhere.
 */
export interface StagingFile extends Disposable {
  readonly limits: StagingLimits
  readonly entries: readonly SourceEntry[]
  /** Begins a file; the pieces that follow are its content until the next entry. */
  file(path: string): void
  data(piece: Uint8Array): void
  add(entry: Exclude<SourceEntry, SourceFile>): void
  /** Counts a folder, which has no entry of its own. */
  folder(): void
}

type Draft = { readonly path: string; readonly offset: number; size: number; head: Uint8Array }

/** `name`: of its file, in the working folder. */
export function createStagingFile(name: string, { maxBytes, maxEntries }: StagingLimits): StagingFile {
  const fd = openSync(name, 'wx+', 0o600)
  const entries: SourceEntry[] = []
  let at = 0
  let folders = 0
  let open: Draft | undefined

  function finish(): void {
    if (open === undefined) return
    const { path, offset, size, head } = open
    open = undefined
    entries.push({ path, size, head, open: () => pieces(fd, offset, size) })
  }

  function begin(): void {
    finish()
    if (entries.length + folders >= maxEntries) {
      throw new TooLargeError(`the source has more than the ${formatCount(maxEntries)} files that are allowed`)
    }
  }

  return {
    limits: { maxBytes, maxEntries },
    get entries() {
      finish()
      return entries
    },
    file(path) {
      begin()
      open = { path, offset: at, size: 0, head: new Uint8Array(0) }
    },
    data(piece) {
      if (open === undefined) return
      if (at + piece.byteLength > maxBytes) {
        throw new TooLargeError(`the files of the source have more than the ${formatBytes(maxBytes)} that are allowed`)
      }
      if (open.head.byteLength < HEAD_BYTES) open.head = headOf(open.head, piece)
      for (let done = 0; done < piece.byteLength; )
        done += writeSync(fd, piece, done, piece.byteLength - done, at + done)
      at += piece.byteLength
      open.size += piece.byteLength
    },
    add(entry) {
      begin()
      entries.push(entry)
    },
    folder() {
      begin()
      folders++
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

/** A copy: a view would keep the whole piece, and its memory block, for as long as the entry. */
function headOf(head: Uint8Array, piece: Uint8Array): Uint8Array {
  const copy = new Uint8Array(Math.min(HEAD_BYTES, head.byteLength + piece.byteLength))
  copy.set(head)
  copy.set(piece.subarray(0, copy.byteLength - head.byteLength), head.byteLength)
  return copy
}

function* pieces(fd: number, offset: number, size: number): Generator<Uint8Array> {
  for (let done = 0; done < size; ) {
    const piece = new Uint8Array(Math.min(READ_BYTES, size - done))
    const read = readSync(fd, piece, 0, piece.byteLength, offset + done)
    if (read === 0) return
    done += read
    yield piece.subarray(0, read)
  }
}
