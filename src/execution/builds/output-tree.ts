import { createHash, type Hash } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { chmod, lchown, lstat, open, readdir, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What an empty file, a folder or a link costs at least: so a bound of bytes is one of files, too. */
const ENTRY_BYTES = 4096
const READ_BYTES = 256 * 1024
/** A link in the place of a file is a difference, and a pipe there does not block. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** `digest`: of all names, kinds, x bits, link targets and bytes. `bytes`: what it takes on the disk. */
export type TreeSummary = { readonly digest: string; readonly bytes: number; readonly files: number }

type Walk = {
  readonly hash: Hash
  readonly seal: boolean
  readonly signal: AbortSignal | undefined
  readonly buffer: Buffer
  bytes: number
  files: number
}

type Options = { readonly signal?: AbortSignal | undefined }

/**
 * Takes over what a build has left, when nothing of the build runs any more: everything belongs to the node and is
 * read-only, every user may read it, and what is no file, folder or link is removed.
 */
export async function sealTree(dir: string, options: Options = {}): Promise<TreeSummary> {
  return summarize(dir, true, options)
}

/** The same of a folder that was sealed before, which changes nothing. */
export async function summarizeTree(dir: string, options: Options = {}): Promise<TreeSummary> {
  return summarize(dir, false, options)
}

async function summarize(dir: string, seal: boolean, { signal }: Options): Promise<TreeSummary> {
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  const walk: Walk = { hash: createHash('sha256'), seal, signal, buffer, bytes: ENTRY_BYTES, files: 1 }
  await addFolder(walk, dir, '')
  return { digest: walk.hash.digest('hex'), bytes: walk.bytes, files: walk.files }
}

async function addFolder(walk: Walk, dir: string, path: string): Promise<void> {
  walk.signal?.throwIfAborted()
  if (walk.seal) await own(dir, 0o755)
  const entries = await readdir(dir, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await add(walk, entry, join(dir, entry.name), `${path}/${entry.name}`)
  }
}

async function add(walk: Walk, entry: Dirent, from: string, path: string): Promise<void> {
  const known = entry.isDirectory() || entry.isSymbolicLink() || entry.isFile()
  if (!known && walk.seal) return rm(from)
  walk.files++
  if (entry.isFile()) return addFile(walk, from, path)
  walk.bytes += ENTRY_BYTES
  if (entry.isDirectory()) {
    note(walk, 'folder', path)
    return addFolder(walk, from, path)
  }
  if (walk.seal) await own(from, undefined)
  note(walk, entry.isSymbolicLink() ? 'link' : 'other', path, entry.isSymbolicLink() ? await readlink(from) : '')
}

async function addFile(walk: Walk, from: string, path: string): Promise<void> {
  const isProgram = ((await lstat(from)).mode & 0o111) !== 0
  if (walk.seal) await own(from, isProgram ? 0o555 : 0o444)
  await using file = await open(from, READ)
  const { size, blocks } = await file.stat()
  walk.bytes += Math.max(ENTRY_BYTES, blocks * 512)
  note(walk, isProgram ? 'program' : 'file', path, size)
  for (;;) {
    const { bytesRead } = await file.read(walk.buffer, 0, READ_BYTES)
    if (bytesRead === 0) return
    walk.hash.update(walk.buffer.subarray(0, bytesRead))
  }
}

function note({ hash }: Walk, ...what: readonly (string | number)[]): void {
  hash.update(`${JSON.stringify(what)}\n`)
}

/** Where the node is root its builds are other users, who lose what they made. `mode`: of anything but a link. */
async function own(path: string, mode: number | undefined): Promise<void> {
  if (process.getuid?.() === 0) await lchown(path, 0, process.getgid?.() ?? 0)
  if (mode !== undefined) await chmod(path, mode)
}
