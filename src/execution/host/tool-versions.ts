import { existsSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { PROGRAM_DIRS } from './bubblewrap.ts'

/** Their entries change with each program that is installed, removed or replaced; so do the records of package managers. */
const CHANGING = [
  ...PROGRAM_DIRS,
  '/var/lib/dpkg/status',
  '/var/lib/rpm',
  '/lib/apk/db/installed',
  '/var/lib/pacman/local',
]

/**
 * The state of these programs, and roughly of all others, without starting any: a build may use whatever the sandbox shows.
 * Better too often another than once the same.
 */
export async function toolVersions(programs: readonly string[], node: string): Promise<unknown> {
  const names = [...new Set(programs)].filter((name) => isAbsolute(name) || !name.includes('/'))
  return Promise.all([
    describe(node),
    ...names.map(async (name) => [
      name,
      await describeFirst(isAbsolute(name) ? [name] : PROGRAM_DIRS.map((dir) => join(dir, name))),
    ]),
    ...CHANGING.map(describe),
  ])
}

/** Those of these toolchains whose program a sandbox shows. The Node.js of the node is always there. */
export function installedToolchains(programs: Readonly<Record<string, string>>): string[] {
  const isThere = (program: string) => program === 'node' || PROGRAM_DIRS.some((dir) => existsSync(join(dir, program)))
  return Object.keys(programs).filter((name) => isThere(programs[name] as string))
}

async function describeFirst(paths: readonly string[]): Promise<unknown> {
  for (const path of paths) {
    const found = await describe(path)
    if (found !== null) return found
  }
  return null
}

async function describe(path: string): Promise<unknown> {
  try {
    const real = await realpath(path)
    const { size, mtimeMs } = await stat(real)
    return [real, size, mtimeMs]
  } catch {
    return null
  }
}
