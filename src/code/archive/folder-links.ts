import { MAX_HOPS } from '../constants.ts'
import { isWithin, relativeTarget } from './links.ts'
import { foldersOf, quoted, type TarLink } from './tar-format.ts'

/** What a folder holds, as it is on the disk: paths of files, and of links the text of their targets. */
export type FolderTree = { readonly files: readonly string[]; readonly links: ReadonlyMap<string, string> }

/**
 * The links of a folder as an archive holds them. A link to a link, through one, or with an indirect path leads to
 * where it ends, in the shortest spelling: that depends on the folder alone, and not on where it lies. What would lead
 * out of the folder at any step is a problem, as is what is not packed.
 */
export function linksOf(tree: FolderTree): { links: TarLink[]; problems: string[] } {
  const files = new Set(tree.files)
  const folders = new Set([...tree.files, ...tree.links.keys()].flatMap(foldersOf))
  const links: TarLink[] = []
  const problems: string[] = []
  for (const [path, target] of tree.links) {
    const end = follow({ files, folders, links: tree.links }, path, target)
    if ('to' in end && !isWithin(path, end.to)) links.push({ path, target: relativeTarget(path, end.to) })
    else {
      const problem = 'to' in end ? 'which is a folder that holds it' : end.problem
      problems.push(`${quoted(path)} is a link to ${quoted(target)}, ${problem}`)
    }
  }
  return { links, problems }
}

type Tree = {
  readonly files: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
  readonly links: ReadonlyMap<string, string>
}

/** Goes step by step, as a kernel would if the folder were all there is. */
function follow({ files, folders, links }: Tree, path: string, target: string): { to: string } | { problem: string } {
  if (target.startsWith('/')) return { problem: 'which is absolute' }
  const at = path.split('/').slice(0, -1)
  const ahead = target.split('/')
  let hops = 0
  while (ahead.length > 0) {
    const name = ahead.shift() as string
    const here = at.join('/')
    if (here !== '' && !folders.has(here)) return NOT_PACKED
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (at.length === 0) return { problem: 'which leads out of the folder' }
      at.pop()
      continue
    }
    at.push(name)
    const next = links.get(at.join('/'))
    if (next === undefined) continue
    if (++hops > MAX_HOPS) return { problem: `which leads in a circle, or through more than ${MAX_HOPS} links` }
    if (next.startsWith('/')) return { problem: `which leads to ${quoted(next)}, and that is absolute` }
    at.pop()
    ahead.unshift(...next.split('/'))
  }
  const to = at.join('/')
  if (to === '') return { problem: 'which is the folder itself' }
  return files.has(to) || folders.has(to) ? { to } : NOT_PACKED
}

const NOT_PACKED = { problem: 'which is missing, an empty folder, or left out' }
