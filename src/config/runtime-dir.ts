import { chmod, lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, InputError, systemMessageOf } from '../base/errors.ts'
import type { Env } from './env.ts'

/** Unix socket paths end at 107 bytes; below this folder come a separator and at most 20 characters. */
export const MAX_RUNTIME_DIR_BYTES = 86

/** Where the operating system keeps what lives as long as the machine runs, and where no cleaner of old files comes. */
const SYSTEM_RUN = '/run'
const FOLDER = 'thundercloud'
/** Root's services run as other users, which have to reach their own socket below a folder that they cannot list. */
const MODE = { root: 0o711, user: 0o700 }

/** What decides where a node's sockets live. */
export type RuntimeInit = {
  /** `RUNTIME` of node.json, absolute */
  readonly configured?: string | undefined
  /** `XDG_RUNTIME_DIR`: a folder of this user alone, made by the system at login */
  readonly xdg?: string | undefined
  readonly tmp: string
}

export function runtimeInit(configured: string | undefined, env: Env): RuntimeInit {
  return { configured, xdg: env.XDG_RUNTIME_DIR || undefined, tmp: tmpdir() }
}

/**
 * Makes the folder of a node's sockets and answers its path: `RUNTIME`, else below /run for root, below
 * XDG_RUNTIME_DIR or /run/user/<uid> for others, else below the folder for temporary files. Throws an InputError where
 * the folder belongs to another user, is open to another user, or has a path too long for a socket.
 */
export async function openRuntimeDir(init: RuntimeInit, name: string): Promise<string> {
  const { configured } = init
  if (configured !== undefined) {
    const path = join(configured, name)
    if (isTooLong(path)) throw new InputError(`${tooLong(path)}: name a shorter folder as RUNTIME in node.json`)
    await makePrivate([configured, path])
    return path
  }
  for (const folders of candidates(init, name)) {
    const path = folders.at(-1) as string
    if (isTooLong(path)) continue
    await makePrivate(folders)
    return path
  }
  throw new InputError(`${tooLong(join(init.tmp, name))}: name a shorter folder as RUNTIME in node.json, or set TMPDIR`)
}

/** Each is the folders to make, outermost first. What the system does not have is left out. */
function* candidates({ xdg, tmp }: RuntimeInit, name: string): Generator<string[]> {
  const uid = process.getuid?.()
  if (uid === 0 && process.platform === 'linux') yield [join(SYSTEM_RUN, FOLDER), join(SYSTEM_RUN, FOLDER, name)]
  if (uid !== 0 && xdg !== undefined) yield [join(xdg, FOLDER), join(xdg, FOLDER, name)]
  // Folders for temporary files are everybody's: the name says whose this is, and makePrivate checks it.
  for (const dir of [tmp, '/tmp'])
    yield [join(dir, `${FOLDER}-${uid ?? 'user'}`), join(dir, `${FOLDER}-${uid ?? 'user'}`, name)]
}

async function makePrivate(folders: readonly string[]): Promise<void> {
  const uid = process.getuid?.()
  const mode = uid === 0 ? MODE.root : MODE.user
  for (const path of folders) {
    try {
      await mkdir(path, { mode })
      // the umask must not decide the access rights
      await chmod(path, mode)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw refusal(path, `cannot be made (${systemMessageOf(error)})`)
    }
    const info = await lstat(path)
    if (!info.isDirectory()) throw refusal(path, 'is no folder')
    if (uid === undefined) continue
    if (info.uid !== uid) throw refusal(path, `belongs to user ${info.uid}`)
    if ((info.mode & 0o777 & ~mode) !== 0)
      throw refusal(path, `lets other users in (mode 0${(info.mode & 0o777).toString(8)})`)
  }
}

function refusal(path: string, problem: string): InputError {
  return new InputError(
    `${path}, the folder for this node's sockets, ${problem}: remove it, or name another one as RUNTIME in node.json`,
  )
}

function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > MAX_RUNTIME_DIR_BYTES
}

function tooLong(path: string): string {
  return `the folder for sockets, ${path}, has ${Buffer.byteLength(path)} bytes, and at most ${MAX_RUNTIME_DIR_BYTES} fit`
}
