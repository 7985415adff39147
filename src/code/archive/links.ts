import { hash } from 'node:crypto'
import { MAX_LINK_BYTES, MAX_LINKS, MAX_NAMED, MAX_PATH_BYTES } from '../constants.ts'
import { problemOfPath, quoted, type TarLink } from './tar-format.ts'

/**
 * Where a symbolic link of an archive may lead: to a file or a folder of the same archive, which is no link itself and
 * lies below none, and which is neither the link nor a folder that holds it. Its target is the one shortest relative
 * path from the folder that holds the link: as many ".." as are needed and no more, then the names that remain, divided
 * by "/". It has 1 to 1024 bytes. So following a link takes one step, and stays inside.
 */

/** The target of a link at `from` that leads to `to`; both are paths of the archive. */
export function relativeTarget(from: string, to: string): string {
  const [folder, names] = [from.split('/').slice(0, -1), to.split('/')]
  let common = 0
  while (common < folder.length && common < names.length - 1 && folder[common] === names[common]) common++
  return [...folder.slice(common).map(() => '..'), ...names.slice(common)].join('/')
}

/** The path of the archive that a link leads to, or what is wrong with the link, as the end of a sentence about it. */
export function resolveLink({ path, target }: TarLink): { to: string } | { problem: string } {
  const unfitPath = problemOfPath(path)
  if (unfitPath !== undefined) return { problem: unfitPath }
  if (target === '') return { problem: 'has an empty target' }
  if (Buffer.byteLength(target) > MAX_PATH_BYTES) {
    return { problem: `has a target of ${Buffer.byteLength(target)} bytes; at most ${MAX_PATH_BYTES} are allowed` }
  }
  const names = target.split('/')
  const up = names.findIndex((name) => name !== '..')
  const folder = path.split('/').slice(0, -1)
  const levels = up < 0 ? names.length : up
  const shown = quoted(target)
  if (levels > folder.length) return { problem: `leads out of the archive (${shown})` }
  if (up < 0) return { problem: `leads to a folder that holds it (${shown})` }
  const below = names.slice(up).join('/')
  const unfit = problemOfPath(below)
  if (unfit !== undefined) return { problem: `has a target (${shown}) that ${unfit}` }
  const to = [...folder.slice(0, folder.length - levels), below].join('/')
  return isWithin(path, to)
    ? { problem: `leads to ${path === to ? 'itself' : 'a folder that holds it'} (${shown})` }
    : checkSpelling({ path, target }, to)
}

function checkSpelling({ path, target }: TarLink, to: string): { to: string } | { problem: string } {
  const shortest = relativeTarget(path, to)
  if (shortest === target) return { to }
  return { problem: `has the target ${quoted(target)}; the shortest is ${quoted(shortest)}` }
}

/** Is `folder` the path itself, or a folder above it? */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** All of them in one sentence, as far as one reads. */
export function danglingLinksText(links: readonly TarLink[]): string {
  const shown = links.slice(0, MAX_NAMED).map(({ path, target }) => `${quoted(path, 100)} to ${quoted(target, 100)}`)
  const more = links.length > MAX_NAMED ? `, and ${links.length - MAX_NAMED} more` : ''
  return `links of the archive lead to no file or folder of it: ${shown.join(', ')}${more}`
}

/** Of each path 16 bytes of its hash: what an archive holds is known at its end, whatever it holds, in little memory. */
const DIGEST_BYTES = 16

/** The files and folders of an archive, as they come, and the links whose targets must be among them. */
export function createLinkChecker() {
  let digests = Buffer.alloc(DIGEST_BYTES * 64)
  let count = 0
  let linkBytes = 0
  const links: { readonly link: TarLink; readonly to: string }[] = []
  return {
    /** A file or a folder. */
    add(path: string): void {
      if ((count + 1) * DIGEST_BYTES > digests.byteLength) {
        digests = Buffer.concat([digests, Buffer.alloc(digests.byteLength)])
      }
      digests.set(digestOf(path), count++ * DIGEST_BYTES)
    },
    /** False where there are more links than an archive may have. */
    addLink(link: TarLink, to: string): boolean {
      links.push({ link, to })
      linkBytes += Buffer.byteLength(link.path) + Buffer.byteLength(link.target)
      return links.length <= MAX_LINKS && linkBytes <= MAX_LINK_BYTES
    },
    /** The links that lead to nothing of the archive, or to another link of it. */
    dangling(): TarLink[] {
      if (links.length === 0) return []
      const wanted = new Map(links.map(({ to }) => [digestOf(to).toString('latin1'), false]))
      for (let at = 0; at < count * DIGEST_BYTES; at += DIGEST_BYTES) {
        const digest = digests.toString('latin1', at, at + DIGEST_BYTES)
        if (wanted.has(digest)) wanted.set(digest, true)
      }
      return links.filter(({ to }) => wanted.get(digestOf(to).toString('latin1')) !== true).map(({ link }) => link)
    },
  }
}

function digestOf(path: string): Buffer {
  return hash('sha256', path, 'buffer').subarray(0, DIGEST_BYTES)
}
