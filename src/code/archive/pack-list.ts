import type { RegistryKind } from '../../../protocols/registries.ts'
import { InputError } from '../../base/errors.ts'
import { MAX_NAMED } from '../constants.ts'
import { linksOf } from './folder-links.ts'
import { IGNORE_FILE, parseIgnore } from './ignore.ts'
import { isExecutable } from './pack-rules.ts'
import { foldersOf, problemOfPath, quoted } from './tar-format.ts'
import type { PackEntry, PackFile } from './tar-write.ts'

/**
 * What of a source is code. One tree has one identity, from a folder, from git, from a package index or from an archive:
 * section 15 of protocols/README.md has the rules, and `code.entries` of the vectors decides each.
 */

/** Where entries come from. */
export type EntryOrigin = 'folder' | 'git' | 'https' | RegistryKind

/** A file as its source has it. `head`: its first bytes, HEAD_BYTES or all of it. */
export type SourceFile = Omit<PackFile, 'executable'> & { readonly head: Uint8Array }
/** A symbolic link as its source spells it. */
export type SourceLink = { readonly path: string; readonly target: string }
/** What an archive cannot hold: refused where it is selected. `problem` is the end of a sentence about it. */
export type SourceProblem = { readonly path: string; readonly problem: string }
export type SourceEntry = SourceFile | SourceLink | SourceProblem

/** Bytes from the beginning of a file that are enough to find its mode, and to recognise a pointer of git LFS. */
export const HEAD_BYTES = 64

export const SUBMODULE_PROBLEM = 'is a submodule, whose files the repository does not have'
export const LFS_PROBLEM = 'is a pointer of git LFS, not the file'
const LFS_POINTER = 'version https://git-lfs.github.com/spec/v1\n'

/** First component: its name is the packer's choice. Of Go modules it is `module@version`, with slashes. */
const FIRST_COMPONENT: ReadonlySet<EntryOrigin> = new Set(['npm', 'pypi', 'cargo', 'composer', 'hackage'])

/** What a .nupkg holds of its own. */
const NUGET_METADATA = /^(_rels|package)\/|^\[Content_Types\]\.xml$|^\.signature\.p7s$/

export type SourceTree = {
  readonly origin: EntryOrigin
  /** of Go modules `module@version` */
  readonly root?: string | undefined
  /** the folder of the source that is packed */
  readonly path?: string | undefined
}

/** The entries below the source's own prefix and `path`, their paths relative to it. Throws InputError where there are none. */
export function entriesUnder<T extends { readonly path: string }>(entries: readonly T[], tree: SourceTree): T[] {
  const stripped = withoutPrefix(entries, tree)
  const path = sourceFolder(tree.path)
  if (path === '') return stripped
  const below = rebase(stripped, `${path}/`)
  if (below.length === 0) throw new InputError(`the source has no folder ${quoted(path)}`)
  return below
}

/** The `path` of a source, as paths begin with it; empty: all of the source. */
export function sourceFolder(path: string | undefined): string {
  const folder = path?.replace(/^(\.?\/)+|\/+$/g, '') ?? ''
  return folder === '.' ? '' : folder
}

function withoutPrefix<T extends { readonly path: string }>(entries: readonly T[], { origin, root }: SourceTree): T[] {
  if (FIRST_COMPONENT.has(origin)) {
    return entries.flatMap((entry) => {
      const slash = entry.path.indexOf('/')
      return slash < 0 ? [] : [{ ...entry, path: entry.path.slice(slash + 1) }]
    })
  }
  if (origin === 'nuget') return entries.filter(({ path }) => !NUGET_METADATA.test(path))
  return origin === 'go' ? rebase(entries, `${root}/`) : [...entries]
}

function rebase<T extends { readonly path: string }>(entries: readonly T[], prefix: string): T[] {
  return entries.flatMap((entry) =>
    entry.path.startsWith(prefix) ? [{ ...entry, path: entry.path.slice(prefix.length) }] : [],
  )
}

/** The entries of an archive: selected, with modes by their content and links in their shortest spelling. Throws InputError naming what cannot be packed. */
export function packList(entries: readonly SourceEntry[], ignoreText: string): PackEntry[] {
  const selected = selectEntries(entries, ignoreText)
  const files = selected.filter(isFile)
  const problems = selected.flatMap((entry) => ('problem' in entry ? [`${quoted(entry.path)} ${entry.problem}`] : []))
  const { links, problems: badLinks } = linksOf({
    files: files.map(({ path }) => path),
    links: new Map(selected.filter(isSourceLink).map(({ path, target }) => [path, target])),
  })
  throwProblems([...problems, ...badLinks])
  return [...files.map(({ head, ...file }) => ({ ...file, executable: isExecutable(head) })), ...links]
}

/** What the root's ignore file and the names that are never packed leave. */
export function selectEntries<T extends { readonly path: string }>(entries: readonly T[], ignoreText: string): T[] {
  const ignore = parseIgnore(ignoreText)
  const folders = new Map<string, boolean>()
  const isFolderIgnored = (folder: string): boolean => {
    const known = folders.get(folder)
    if (known !== undefined) return known
    const ignored = ignore(folder, true)
    folders.set(folder, ignored)
    return ignored
  }
  // what is no path of an archive is refused later, and no rule takes it
  const isKept = (path: string) =>
    problemOfPath(path) !== undefined || (!foldersOf(path).some(isFolderIgnored) && !ignore(path, false))
  return entries.filter(({ path }) => isKept(path))
}

/** Every problem, as far as one reads: a person who mends one should not meet the next. */
function throwProblems(problems: readonly string[]): void {
  if (problems.length === 0) return
  const way = `replace or rename ${problems.length === 1 ? 'it, or name it' : 'them, or name them'} in ${IGNORE_FILE}`
  const count = problems.length === 1 ? '' : `${problems.length} entries cannot be packed: `
  const more = problems.length > MAX_NAMED ? `; and ${problems.length - MAX_NAMED} more` : ''
  throw new InputError(`${count}${problems.slice(0, MAX_NAMED).join('; ')}${more}; ${way}`)
}

/** Is this blob of git a pointer to a file that is kept elsewhere? */
export function isLfsPointer(head: Uint8Array): boolean {
  return Buffer.from(head).toString('latin1', 0, LFS_POINTER.length) === LFS_POINTER
}

function isFile(entry: SourceEntry): entry is SourceFile {
  return 'open' in entry
}

function isSourceLink(entry: SourceEntry): entry is SourceLink {
  return 'target' in entry
}
