import { sanitizeText } from '../../base/format.ts'
import { gitDifferences, type PackEntry } from '../../code/index.ts'

/** Lock files that npm leaves out of a package, at its root. It takes `npm-shrinkwrap.json` and `bun.lock` into it. */
const LOCK_FILES = ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lockb']

/** Files for which the package that npm makes of a folder is other code than the folder. */
export function npmWarnings(entries: readonly PackEntry[]): string[] {
  const has = (path: string) => entries.some((entry) => entry.path === path)
  if (!has('package.json')) return []
  const locks = LOCK_FILES.filter(has)
  const links = entries.flatMap((entry) => ('target' in entry ? [entry.path] : []))
  return [
    ...(locks.length === 0 ? [] : [`npm leaves out ${listed(locks)}, so a package of this folder is other code`]),
    ...(links.length === 0
      ? []
      : [`npm leaves out links, so a package of this folder is other code: ${listed(links)}`]),
  ]
}

/** Files for which the commit is other code than the folder. */
export async function gitWarnings(
  folder: string,
  entries: readonly PackEntry[],
  options: { signal?: AbortSignal | undefined },
): Promise<string[]> {
  const found = await gitDifferences(folder, entries, options)
  if (found === undefined) return []
  const { changed, missing } = found
  return [
    ...(changed.length === 0
      ? []
      : [`these files have other bytes than in git, so its commit is other code: ${listed(changed)}`]),
    ...(missing.length === 0 ? [] : [`these files are not in git's commit, so it is other code: ${listed(missing)}`]),
  ]
}

const MAX_LISTED = 10

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, MAX_LISTED).map((path) => sanitizeText(path))
  return `${shown.join(', ')}${paths.length > MAX_LISTED ? ` and ${paths.length - MAX_LISTED} more` : ''}`
}
