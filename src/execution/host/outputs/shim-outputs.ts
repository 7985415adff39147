import { isUtf8 } from 'node:buffer'
import { constants, type Dirent } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, opendir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, sleep } from '../../../base/clock.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import { statFields } from '../../../base/os/process-identity.ts'
import { outputParts, type PlanOutputs, tooLargeText } from '../../outputs.ts'
import { type RunProcess, runProcesses } from '../processes.ts'
import { padding, tarEnd, tarHeader } from './tar-header.ts'
import { PROBLEM } from './task-outputs.ts'

export type OutputFolders = PlanOutputs & { readonly work: string }

/** Between looks whether a run's last processes have gone, and how long the kernel may take to end them. */
const LOOK_MS = 5
const GONE_MS = 10_000
/** States of a process that runs no more: a zombie, and one that is just going. */
const ENDED = ['Z', 'X']
const READ_BYTES = 256 * 1024
/** As an archive has it: what is deeper is named and not entered. */
const MAX_PATH_BYTES = 1024
/** A link in the place of a file is an error, and a pipe there does not block. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const FOLDER = READ | constants.O_DIRECTORY

type Copy = { readonly out: FileHandle; readonly left: { bytes: number; entries: number } }

class TooLarge extends Error {}

/**
 * Copies what a task that succeeded left from its sandbox, which goes with it, into `dir`: a tar for each path, `<index>.tar`, or a
 * file `problem`. Nothing of the task runs any more, and no link is followed at any step: each folder is opened below the one before.
 * `processes`: those of the task that there still are.
 */
export async function copyOutputs(
  outputs: OutputFolders,
  dir: string,
  clock: Clock,
  processes: () => readonly RunProcess[] = () => runProcesses(true, undefined),
): Promise<void> {
  await mkdir(dir, { mode: 0o700 })
  const left = { bytes: outputs.maxBytes, entries: outputs.maxEntries }
  try {
    await endProcesses(clock, processes)
    for (const [index, path] of outputs.paths.entries())
      await copyPath(outputs.work, path, join(dir, `${index}.tar`), left)
  } catch (error) {
    for (const index of outputs.paths.keys()) await rm(join(dir, `${index}.tar`), { force: true })
    const why = error instanceof TooLarge ? tooLargeText(outputs) : `cannot be taken: ${messageOf(error)}`
    await writeFile(join(dir, PROBLEM), why)
  }
}

/** What the command left running: bubblewrap ends it too, but the kernel takes its time. */
async function endProcesses(clock: Clock, processes: () => readonly RunProcess[]): Promise<void> {
  const until = clock.monotonic() + GONE_MS
  // nobody asks for the end of what has ended and was a child of another: it is named on
  const alive = () => processes().filter(({ pid }) => !ENDED.includes(statFields(pid)?.[0] ?? 'X'))
  for (let found = alive(); found.length > 0; found = alive()) {
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended
      }
    }
    if (clock.monotonic() > until) throw new Error('a process that the task left does not end')
    await sleep(clock, LOOK_MS)
  }
}

async function copyPath(work: string, path: string, file: string, left: Copy['left']): Promise<void> {
  const parts = outputParts(path)
  const name = Buffer.from(parts.pop() ?? '')
  await using folders = new AsyncDisposableStack()
  let folder = folders.use(await open(work, FOLDER))
  for (const part of parts) {
    const next = await openBelow(folder, Buffer.from(part), FOLDER)
    if (next === undefined) return
    folder = folders.use(next)
  }
  const entry = name.byteLength === 0 ? undefined : await entryOf(folder, name)
  if (entry === undefined && name.byteLength > 0) return
  await using out = await open(file, 'wx', 0o600)
  const copy: Copy = { out, left }
  if (entry === undefined) await copyFolder(copy, folder, name)
  else await copyEntry(copy, folder, entry, name)
  await out.writeFile(tarEnd())
  await out.sync()
}

async function copyFolder(copy: Copy, folder: FileHandle, path: Buffer): Promise<void> {
  for await (const entry of await entriesOf(folder)) {
    const below = path.byteLength === 0 ? entry.name : Buffer.concat([path, Buffer.from('/'), entry.name])
    await copyEntry(copy, folder, entry, below)
  }
}

async function copyEntry(copy: Copy, folder: FileHandle, entry: Dirent<Buffer>, path: Buffer): Promise<void> {
  copy.left.entries--
  if (copy.left.entries < 0) throw new TooLarge()
  // such a name is in no archive: it is counted as one that is no text
  if (!isName(path)) return copy.out.writeFile(tarHeader('other', Buffer.from('\ufffd')))
  if (entry.isSymbolicLink()) return copy.out.writeFile(tarHeader('link', path))
  if (entry.isDirectory()) {
    await using inner = await openBelow(folder, entry.name, FOLDER)
    await copy.out.writeFile(tarHeader('folder', path))
    if (inner !== undefined) await copyFolder(copy, inner, path)
    return
  }
  await using file = entry.isFile() ? await openBelow(folder, entry.name, READ) : undefined
  if (file === undefined) return copy.out.writeFile(tarHeader('other', path))
  await copyFile(copy, file, path)
}

async function copyFile({ out, left }: Copy, file: FileHandle, path: Buffer): Promise<void> {
  const { size } = await file.stat()
  left.bytes -= size
  if (left.bytes < 0) throw new TooLarge()
  await out.writeFile(tarHeader('file', path, size))
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, size - at), at)
    if (bytesRead === 0) throw new Error('a file became shorter while it was copied')
    await out.writeFile(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  await out.writeFile(padding(size))
}

/** One after the other: a folder may have more names than fit in memory. */
async function entriesOf(folder: FileHandle): Promise<AsyncIterable<Dirent<Buffer>>> {
  // its types know of no names that are bytes
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }
  return (await opendir(`/proc/self/fd/${folder.fd}`, options)) as unknown as AsyncIterable<Dirent<Buffer>>
}

async function entryOf(folder: FileHandle, name: Buffer): Promise<Dirent<Buffer> | undefined> {
  for await (const entry of await entriesOf(folder)) if (entry.name.equals(name)) return entry
  return undefined
}

/** Below an open folder, whatever has become of its path. Undefined where nothing of that kind is there. */
async function openBelow(folder: FileHandle, name: Buffer, flags: number): Promise<FileHandle | undefined> {
  const path = Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name])
  try {
    return await open(path, flags)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'ENXIO') return undefined
    if (errno !== 'EACCES') throw error
  }
  // its own mode keeps its owner out; of those that were tried, a link is none
  await chmod(path, 0o700)
  return await open(path, flags)
}

function isName(path: Buffer): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  return path.byteLength <= MAX_PATH_BYTES && isUtf8(path) && !/[\u0000-\u001f]/.test(path.toString())
}
