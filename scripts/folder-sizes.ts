/**
 * How many files a folder may have: a person who opens one reads all of its names. `node scripts/folder-sizes.ts` fails with one
 * sentence for each that has more.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Files that lie in one folder. */
const MAX_FILES = 25
/** Files below a folder, at any depth: what only joins parts stays small. */
const MAX_BELOW: Readonly<Record<string, number>> = { 'src/node': 30 }
const ROOTS = ['protocols', 'scripts', 'src', 'test']
const OTHERS = new Set(['node_modules', 'dist'])

/** One sentence for each folder of this checkout that has too many files. */
export function tooManyFiles(root: string): string[] {
  const problems: string[] = []
  const count = (folder: string): number => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !OTHERS.has(name))
    const files = entries.filter((entry) => entry.isFile()).length
    if (files > MAX_FILES)
      problems.push(`${folder} has ${files} files, at most ${MAX_FILES} are allowed: make a folder of a part of them.`)
    const folders = entries.filter((entry) => entry.isDirectory())
    const below = folders.reduce((sum, { name }) => sum + count(`${folder}/${name}`), files)
    const most = MAX_BELOW[folder] ?? Number.POSITIVE_INFINITY
    if (below > most) {
      problems.push(
        `${folder} has ${below} files in all, at most ${most} are allowed: move what decides to the folder that it concerns.`,
      )
    }
    return below
  }
  for (const folder of ROOTS) count(folder)
  return problems
}

if (import.meta.main) {
  const problems = tooManyFiles(join(import.meta.dirname, '..'))
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
