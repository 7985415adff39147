import { sha256 } from '../../../protocols/encoding.ts'
import { InputError } from '../../../src/base/errors.ts'
import { createManifest } from '../../../src/code/archive/chunks.ts'
import { IGNORE_FILE } from '../../../src/code/archive/ignore.ts'
import {
  type EntryOrigin,
  entriesUnder,
  isLfsPointer,
  LFS_PROBLEM,
  packList,
  type SourceEntry,
  SUBMODULE_PROBLEM,
} from '../../../src/code/archive/pack-list.ts'
import { encodeHeader, paddedSize } from '../../../src/code/archive/tar-format.ts'
import { orderEntries, type PackEntry } from '../../../src/code/archive/tar-write.ts'
import type { Json, Op } from '../kit/kit.ts'
import { ArchiveError } from './archive.ts'

/** An entry as a case spells it. `mode` is what its source says, and decides nothing. */
type Entry = { path: string; text?: string; mode?: string; target?: string; submodule?: boolean }

export const codeOps: Record<string, Op> = {
  'code.entries': ({ origin, root, path, entries }) => {
    const from = origin as EntryOrigin
    const raw = (entries as Entry[]).map((entry) => sourceEntry(entry, from))
    try {
      const below = entriesUnder(raw, { origin: from, root: textOf(root), path: textOf(path) })
      const ignoreFile = below.find((entry) => entry.path === IGNORE_FILE)
      const rules = ignoreFile !== undefined && 'open' in ignoreFile ? contentOf(ignoreFile).toString() : ''
      const packed = orderEntries(packList(below, rules))
      const tar = tarOf(packed)
      return { entries: packed.map(shown), code: createManifest(tar.byteLength, [sha256(tar)]).code.toString() }
    } catch (error) {
      if (error instanceof InputError) throw new ArchiveError('', error.message)
      throw error
    }
  },
}

function sourceEntry({ path, text, target, submodule }: Entry, origin: EntryOrigin): SourceEntry {
  if (submodule === true) return { path, problem: SUBMODULE_PROBLEM }
  if (target !== undefined) return { path, target }
  const content = Buffer.from(text ?? '')
  if (origin === 'git' && isLfsPointer(content)) return { path, problem: LFS_PROBLEM }
  return { path, size: content.byteLength, head: content, open: () => [content] }
}

/** One chunk is enough for a case. */
function tarOf(entries: readonly PackEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    if ('target' in entry) return [encodeHeader(entry)]
    const content = contentOf(entry)
    return [encodeHeader(entry), content, Buffer.alloc(paddedSize(content.byteLength) - content.byteLength)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

function contentOf(file: { open: (options: object) => AsyncIterable<Uint8Array> | Iterable<Uint8Array> }): Buffer {
  return Buffer.concat([...(file.open({}) as Iterable<Uint8Array>)])
}

function shown(entry: PackEntry): { [field: string]: Json } {
  if ('target' in entry) return { path: entry.path, target: entry.target }
  return { path: entry.path, executable: entry.executable, size: entry.size }
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
