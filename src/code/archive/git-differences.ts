import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import type { WalkOptions } from './folder-walk.ts'
import { askGit, isInWorkTree } from './git-folder.ts'
import type { PackEntry, PackFile } from './tar-write.ts'

/** Files that are packed with other bytes than the commit has, and files that it does not have. */
export type GitDifferences = { readonly changed: readonly string[]; readonly missing: readonly string[] }

/**
 * What of a folder differs from the commit that is checked out: changes that are not committed, and files whose line ends a
 * filter of git rewrote. Undefined where the folder is in no work tree, or nothing was committed.
 */
export async function gitDifferences(
  dir: string,
  entries: readonly PackEntry[],
  options: WalkOptions = {},
): Promise<GitDifferences | undefined> {
  if (!(await isInWorkTree(await realpath(dir)))) return undefined
  const { names, problem } = await askGit(dir, ['ls-tree', '-rz', 'HEAD'], options)
  if (problem !== undefined) return undefined
  const blobs = new Map<string, string>()
  for (const line of names) {
    const [about = '', path = ''] = line.toString().split('\t')
    blobs.set(path, about.split(' ')[2] ?? '')
  }
  const changed: string[] = []
  const missing: string[] = []
  for (const entry of entries) {
    const blob = blobs.get(entry.path)
    if (blob === undefined) missing.push(entry.path)
    else if (!('target' in entry) && (await blobId(entry, blob.length, options)) !== blob) changed.push(entry.path)
  }
  return { changed, missing }
}

async function blobId(file: PackFile, length: number, options: WalkOptions): Promise<string> {
  const hash = createHash(length === 64 ? 'sha256' : 'sha1').update(`blob ${file.size}\0`)
  for await (const piece of file.open(options)) hash.update(piece)
  return hash.digest('hex')
}
