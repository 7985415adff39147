import { isUtf8 } from 'node:buffer'
import { addAbortListener, once } from 'node:events'
import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { deadline, systemClock } from '../../base/clock.ts'
import { errnoOf, InputError, TimeoutError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { findProgram, startPiped } from '../../process/index.ts'
import { folderEntry, NOT_UTF8, type WalkOptions } from './folder-walk.ts'
import { IGNORE_FILE } from './ignore.ts'
import { type SourceEntry, SUBMODULE_PROBLEM } from './pack-list.ts'
import { foldersOf } from './tar-format.ts'

/**
 * The repository's own configuration starts no program: neither a monitor nor a hook, nor one that fetches what is missing.
 * A repository of another user is refused by git itself.
 */
const CONFIG = ['core.fsmonitor=false', 'core.hooksPath=/dev/null'].flatMap((line) => ['-c', line])
const ENVIRONMENT = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' }
/** A list of files takes seconds; a disk that does not answer, or an index that is none, takes for ever. */
const GIT_MS = 120_000
const LIST = ['ls-files', '-coz', '--deduplicate', '--exclude-per-directory=.gitignore']

/** Does the folder seem to lie in a work tree of git? */
export async function isInWorkTree(dir: string): Promise<boolean> {
  for (let at = dir; ; at = dirname(at)) {
    if ((await lstat(join(at, '.git')).catch(() => undefined)) !== undefined) return true
    if (dirname(at) === at) return false
  }
}

/**
 * What git has of the folder or would take in: the files that it tracks, and those that no `.gitignore` names.
 * Undefined where git says that this is no work tree.
 */
export async function gitFolder(dir: string, options: WalkOptions): Promise<SourceEntry[] | undefined> {
  const names = await listFiles(dir, options)
  if (names === undefined) return undefined
  const found: SourceEntry[] = []
  const folders = new Map<string, Promise<boolean>>()
  /** A path of the index may lead through a link by now: git calls such a file deleted. */
  const isBelowFolders = async (path: string) => {
    for (const folder of foldersOf(path)) {
      const known =
        folders.get(folder) ??
        lstat(join(dir, folder)).then(
          (stats) => stats.isDirectory(),
          () => false,
        )
      folders.set(folder, known)
      if (!(await known)) return false
    }
    return true
  }
  for (const bytes of names) {
    const path = bytes.toString()
    if (!isUtf8(bytes)) {
      found.push({ path, problem: NOT_UTF8 })
      continue
    }
    if (!(await isBelowFolders(path))) continue
    const stats = await lstat(join(dir, path)).catch((error) => {
      // tracked, and deleted since
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
      throw error
    })
    if (stats === undefined) continue
    if (stats.isDirectory()) found.push({ path: path.replace(/\/$/, ''), problem: SUBMODULE_PROBLEM })
    else found.push(await folderEntry(dir, path, stats))
  }
  return found
}

async function listFiles(dir: string, options: WalkOptions): Promise<Buffer[] | undefined> {
  const { names, problem } = await askGit(dir, LIST, options)
  if (problem === undefined) return names
  if (problem.includes('not a git repository')) return undefined
  const said = sanitizeText(problem.trim().split('\n').at(-1) ?? '', 200)
  throw new InputError(`git cannot list ${dir} (${said}); mend it, or say in ${IGNORE_FILE} what is not packed`)
}

/** What git answers about a folder, in parts that end with a zero byte; `problem`: its complaint, where it failed. */
export async function askGit(
  dir: string,
  args: readonly string[],
  { signal, clock = systemClock() }: WalkOptions,
): Promise<{ names: Buffer[]; problem?: string | undefined }> {
  signal?.throwIfAborted()
  const program = findProgram('git')
  if (program === undefined) {
    throw new InputError(
      `${dir} is in a work tree of git, and git is not installed: install it, or say in ${IGNORE_FILE} what is not packed (the file may be empty)`,
    )
  }
  const tooLong = new TimeoutError(
    `git does not answer about ${dir} within ${GIT_MS / 1000} s; say in ${IGNORE_FILE} what is not packed, and git is not asked`,
  )
  using limit = deadline(clock, GIT_MS, tooLong, signal)
  const child = startPiped({ kind: 'tool', program, args: [...CONFIG, ...args], cwd: dir, env: ENVIRONMENT })
  using _kill = addAbortListener(limit.signal, () => void child.kill('SIGKILL'))
  child.stdin.on('error', () => {}).end()
  const [names, problem, [exitCode]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close'),
  ])
  limit.signal.throwIfAborted()
  return { names: split(names), ...(exitCode === 0 ? {} : { problem: problem.toString() }) }
}

/** Names that end with a zero byte. */
function split(names: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0, end = names.indexOf(0); end >= 0; start = end + 1, end = names.indexOf(0, start)) {
    parts.push(names.subarray(start, end))
  }
  return parts
}
