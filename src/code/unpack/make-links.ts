import { lstat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { resolveLink } from '../archive/links.ts'
import { foldersOf, quoted, type TarLink } from '../archive/tar-format.ts'
import { MAX_LINKS } from '../constants.ts'
import { BadArchiveError } from '../errors.ts'

type Options = { signal?: AbortSignal | undefined }

/**
 * Makes the links of an archive whose files and folders are all in `target`, where there is no link yet: the process
 * that read the archive could make none. Its output is untrusted. Each link is checked with the
 * archive's rules and against the disk before the first is made.
 */
export async function makeLinks(target: string, links: readonly TarLink[], { signal }: Options): Promise<void> {
  if (links.length > MAX_LINKS) throw new BadArchiveError(`the archive has more than ${MAX_LINKS} links`)
  const known = new Map<string, Kind>()
  const kindOf = async (path: string): Promise<Kind> => {
    const kind = known.get(path) ?? (await kindAt(join(target, path)))
    known.set(path, kind)
    return kind
  }
  for (const link of links) {
    signal?.throwIfAborted()
    for (const folder of foldersOf(link.path)) {
      if ((await kindOf(folder)) !== 'folder') throw new BadArchiveError(`${quoted(folder)} is no folder`)
    }
    const to = leadsTo(link)
    for (const folder of foldersOf(to)) {
      if ((await kindOf(folder)) !== 'folder') throw new BadArchiveError(`${quoted(link.path)} leads to nothing`)
    }
    if ((await kindOf(to)) === 'other') throw new BadArchiveError(`${quoted(link.path)} leads to nothing`)
  }
  for (const { path, target: text } of links) {
    signal?.throwIfAborted()
    try {
      await symlink(text, join(target, path))
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      throw new BadArchiveError(`${quoted(path)} and another entry of the archive are one to this file system`)
    }
  }
}

type Kind = 'file' | 'folder' | 'other'

async function kindAt(path: string): Promise<Kind> {
  const stats = await lstat(path).catch(() => undefined)
  if (stats?.isDirectory() === true) return 'folder'
  return stats?.isFile() === true ? 'file' : 'other'
}

function leadsTo(link: TarLink): string {
  const resolved = resolveLink(link)
  if ('to' in resolved) return resolved.to
  throw new BadArchiveError(`the link ${quoted(link.path)} ${resolved.problem}`)
}
