import { isUtf8 } from 'node:buffer'
import { HEAD_BYTES, isLfsPointer, LFS_PROBLEM, SUBMODULE_PROBLEM, sourceFolder } from '../../../archive/pack-list.ts'
import { NOT_UTF8 } from '../archives/tar.ts'
import { UnusableSourceError } from '../errors.ts'
import type { StagingFile } from '../staging-file.ts'
import { type GitObject, openPack, unreadable } from './pack-file.ts'

const PACK = 'commit.pack'
const LINK = '120000'
const FOLDER = '40000'
const SUBMODULE = '160000'
const ID_BYTES = 20
/** Folders below one another: far over what projects have, far under what a stack takes. */
const MAX_DEPTH = 200
/** A file may have folders of its own, and there is a commit. A server that ignores what was asked for sends more. */
const OBJECTS_PER_ENTRY = 2
/** How much more a whole commit may have than what is taken of it, where that is one of its folders. */
const UNPACKED_FACTOR = 8

/** Puts the files of a commit, as its objects have them, into the staging file: no conversion, no checkout. */
export async function readCommit(
  pieces: AsyncIterable<Uint8Array>,
  commit: string,
  path: string | undefined,
  staging: StagingFile,
): Promise<void> {
  const { maxBytes, maxEntries } = staging.limits
  using pack = await openPack(PACK, pieces, {
    maxObjects: OBJECTS_PER_ENTRY * maxEntries + 1,
    maxBytes: UNPACKED_FACTOR * maxBytes,
  })
  const wanted = sourceFolder(path)
  const tree = /^tree ([0-9a-f]{40})\n/.exec(objectOf('commit', commit).toString('latin1', 0, 64))?.[1]
  if (tree === undefined) throw unreadable('the commit names no folder')
  readFolder(tree, '', 0)

  function objectOf(type: GitObject['type'], id: string): Buffer {
    const found = pack.read(id)
    if (found.type !== type) throw unreadable(`${id} is a ${found.type}, and not a ${type}`)
    return found.content
  }

  /** Only what lies below `path`, or above it, is opened. */
  function readFolder(id: string, folder: string, depth: number): void {
    if (depth > MAX_DEPTH)
      throw new UnusableSourceError(`the commit has more than ${MAX_DEPTH} folders below one another`)
    staging.folder()
    for (const entry of entriesOf(objectOf('tree', id))) {
      const name = entry.name.toString()
      const at = folder === '' ? name : `${folder}/${name}`
      if (!concerns(at, wanted)) continue
      if (entry.mode === FOLDER) readFolder(entry.id, at, depth + 1)
      else if (entry.mode === SUBMODULE) staging.add({ path: at, problem: SUBMODULE_PROBLEM })
      else if (!isUtf8(entry.name)) staging.add({ path: at, problem: NOT_UTF8 })
      else readBlob(objectOf('blob', entry.id), at, entry.mode)
    }
  }

  function readBlob(content: Buffer, at: string, mode: string): void {
    if (mode === LINK) {
      const problem = 'is a link whose target is not UTF-8'
      staging.add(isUtf8(content) ? { path: at, target: content.toString() } : { path: at, problem })
      return
    }
    if (isLfsPointer(content.subarray(0, HEAD_BYTES))) {
      staging.add({ path: at, problem: LFS_PROBLEM })
      return
    }
    staging.file(at)
    staging.data(content)
  }
}

/** `<mode> <name>\0<id>`, one after another. */
function* entriesOf(tree: Buffer): Generator<{ mode: string; name: Buffer; id: string }> {
  for (let at = 0; at < tree.byteLength; ) {
    const space = tree.indexOf(0x20, at)
    const zero = tree.indexOf(0, at)
    const end = zero + 1 + ID_BYTES
    const name = tree.subarray(space + 1, zero)
    if (space < at || zero < space || end > tree.byteLength || name.byteLength === 0 || name.includes('/')) {
      throw unreadable('a folder is not what git writes')
    }
    yield { mode: tree.toString('latin1', at, space), name, id: tree.toString('hex', zero + 1, end) }
    at = end
  }
}

function concerns(at: string, wanted: string): boolean {
  if (wanted === '') return true
  return at === wanted || at.startsWith(`${wanted}/`) || wanted.startsWith(`${at}/`)
}
