import { isUtf8 } from 'node:buffer'
import * as fs from 'node:fs'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import git from 'isomorphic-git'
import { messageOf } from '../../../../base/errors.ts'
import { HEAD_BYTES, isLfsPointer, LFS_PROBLEM, SUBMODULE_PROBLEM } from '../../../archive/pack-list.ts'
import { UnusableSourceError } from '../errors.ts'
import type { StagingFile } from '../staging-file.ts'

/** A repository that holds one pack, in the working folder. */
const PACKS = 'repository/objects/pack'
const PACK = 'objects/pack/pack-fetched.pack'
const LINK = '120000'
const FOLDER = '040000'
const SUBMODULE = '160000'
/** Folders below one another: far over what projects have, far under what a stack takes. */
const MAX_DEPTH = 200

/** Puts the files of a commit, as its objects have them, into the staging file: no conversion, no checkout. */
export async function readCommit(
  pack: AsyncIterable<Uint8Array>,
  commit: string,
  path: string | undefined,
  staging: StagingFile,
): Promise<void> {
  await writePack(pack)
  const repository = { fs, dir: 'repository', gitdir: 'repository', cache: {} }
  try {
    await git.indexPack({ ...repository, filepath: PACK })
    const { commit: found } = await git.readCommit({ ...repository, oid: commit })
    await readFolder(found.tree, '', 0)
  } catch (cause) {
    if (cause instanceof Error && !('data' in cause) && cause.constructor !== Error && cause.constructor !== TypeError)
      throw cause
    throw new UnusableSourceError(`the pack of the commit cannot be read (${messageOf(cause)})`, { cause })
  }

  /** Only what lies below `path`, or above it, is opened. */
  async function readFolder(oid: string, folder: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH)
      throw new UnusableSourceError(`the commit has more than ${MAX_DEPTH} folders below one another`)
    staging.folder()
    const { tree } = await git.readTree({ ...repository, oid })
    for (const entry of tree) {
      const at = folder === '' ? entry.path : `${folder}/${entry.path}`
      if (!concerns(at, path)) continue
      if (entry.mode === FOLDER) await readFolder(entry.oid, at, depth + 1)
      else if (entry.mode === SUBMODULE || entry.type === 'commit')
        staging.add({ path: at, problem: SUBMODULE_PROBLEM })
      else await readBlob(entry.oid, at, entry.mode)
    }
  }

  async function readBlob(oid: string, at: string, mode: string): Promise<void> {
    const { blob } = await git.readBlob({ ...repository, oid })
    if (at.includes('\ufffd')) return staging.add({ path: at, problem: 'has a name that is not UTF-8' })
    if (mode === LINK) {
      const target = Buffer.from(blob)
      return staging.add(
        isUtf8(target)
          ? { path: at, target: target.toString() }
          : { path: at, problem: 'is a link whose target is not UTF-8' },
      )
    }
    if (isLfsPointer(blob.subarray(0, HEAD_BYTES))) return staging.add({ path: at, problem: LFS_PROBLEM })
    staging.file(at)
    staging.data(blob)
  }
}

function concerns(at: string, path: string | undefined): boolean {
  const wanted = path?.replace(/^(\.?\/)+|\/+$/g, '')
  if (wanted === undefined || wanted === '' || wanted === '.') return true
  return at === wanted || at.startsWith(`${wanted}/`) || wanted.startsWith(`${at}/`)
}

async function writePack(pack: AsyncIterable<Uint8Array>): Promise<void> {
  mkdirSync(PACKS, { recursive: true })
  const fd = openSync(`repository/${PACK}`, 'wx', 0o600)
  try {
    for await (const piece of pack) {
      for (let done = 0; done < piece.byteLength; ) done += writeSync(fd, piece, done)
    }
  } finally {
    closeSync(fd)
  }
}
