import { constants } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, InputError } from '../../base/errors.ts'
import { MAX_IGNORE_BYTES } from '../constants.ts'
import { type WalkOptions, walkFolder } from './folder-walk.ts'
import { gitFolder, isInWorkTree } from './git-folder.ts'
import { IGNORE_FILE, parseIgnore } from './ignore.ts'
import { packList, type SourceEntry } from './pack-list.ts'
import type { PackEntry } from './tar-write.ts'

/**
 * The files and links of a folder that are its code: what its `.thundercloudignore` leaves; without one, in a work tree
 * of git, what git tracks and no `.gitignore` names; else everything. A file is executable where it begins like a
 * program. Special files, and links that lead out of what is packed (see folder-links.ts), are refused by name, because
 * leaving them out in silence would make a program that works here and nowhere else.
 */
export async function listFolder(dir: string, options: WalkOptions = {}): Promise<PackEntry[]> {
  const stats = await lstat(dir).catch((cause) => {
    throw new InputError(`${dir} cannot be read (${errnoOf(cause) ?? 'unknown'}); name a folder`, { cause })
  })
  if (!stats.isDirectory()) throw new InputError(`${dir} is no folder; name the folder that holds the code`)
  const rules = await readIgnoreFile(dir)
  const entries = packList(await entriesOf(dir, rules, options), rules ?? '')
  if (entries.every((entry) => 'target' in entry)) throw new InputError(`${dir} has no files to pack`)
  return entries
}

async function entriesOf(dir: string, rules: string | undefined, options: WalkOptions): Promise<SourceEntry[]> {
  const tracked = rules === undefined && (await isInWorkTree(await realpath(dir)))
  return (tracked && (await gitFolder(dir, options))) || (await walkFolder(dir, parseIgnore(rules ?? ''), options))
}

async function readIgnoreFile(dir: string): Promise<string | undefined> {
  try {
    await using file = await open(
      join(dir, IGNORE_FILE),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(MAX_IGNORE_BYTES + 1) })
    return buffer.toString('utf8', 0, bytesRead)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new InputError(`${IGNORE_FILE} cannot be read (${errnoOf(cause) ?? 'unknown'})`, { cause })
  }
}
