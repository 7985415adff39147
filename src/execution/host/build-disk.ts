import { cp, lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { isDiskFull, messageOf } from '../../base/errors.ts'
import { codeTooLargeText, DISK_FULL, NODE_DISK_FULL, overDiskText } from '../build-limit.ts'
import { isDiskFull as isFull } from '../gateway/disk.ts'
import type { RunEnd } from '../types.ts'
import type { BuildFolders } from './run-files.ts'

/** How often a build's disk is checked. */
const LOOK_MS = 50

/** What was seen of a build's disk while it ran: a build may give back what it wrote before it ends. */
export interface DiskWatch {
  /** The same output. Where it speaks of a full disk, the disk is looked at. */
  watchOutput(output: Readable): Readable
  /** Checks a last time. */
  wasFull(): Promise<boolean>
}

/** Answers how the build ended where its code does not fit. */
export async function copyIn({ source, code, scratch, bytes }: BuildFolders): Promise<RunEnd | undefined> {
  try {
    for (const dir of scratch) await mkdir(dir, { mode: 0o700 })
    await cp(source, code, { recursive: true, verbatimSymlinks: true })
  } catch (error) {
    if (!isDiskFull(error)) throw error
    return { exitCode: 1, reason: 'exit', detail: codeTooLargeText(bytes) }
  }
  return undefined
}

export function watchDisk({ disk }: BuildFolders, clock: Clock): DiskWatch {
  let full = false
  const look = async () => {
    full ||= await isFull(disk)
    return full
  }
  const looks = clock.every(LOOK_MS, () => void look())
  return {
    watchOutput(output) {
      const copy = new PassThrough()
      output.on('data', (chunk: Buffer) => {
        if (DISK_FULL.test(chunk.toString('latin1'))) void look()
      })
      return output.pipe(copy)
    },
    wasFull() {
      looks.cancel()
      return look()
    },
  }
}

export async function finishBuild(build: BuildFolders, disk: DiskWatch, end: RunEnd): Promise<RunEnd> {
  try {
    return await takeOver(build, disk, end)
  } catch (error) {
    // its own disk was read only: what is full is where its code came from
    if (isDiskFull(error)) return { exitCode: 1, reason: 'exit', detail: NODE_DISK_FULL, nodeDiskFull: true }
    return { exitCode: 1, reason: 'exit', detail: `what the build left cannot be taken over: ${messageOf(error)}` }
  }
}

/** What the build left, if it succeeded within its disk, takes the place of what it was made from. */
async function takeOver(build: BuildFolders, disk: DiskWatch, end: RunEnd): Promise<RunEnd> {
  const full = await disk.wasFull()
  const { source, code, bytes, inodes } = build
  const tooMuch = overDiskText(bytes)
  if (end.exitCode !== 0) return full && end.reason === 'exit' ? { ...end, detail: tooMuch } : end
  // Holes and hard links take more space in a copy than where the kernel counted them.
  if (full || (await exceeds(code, { bytes, files: inodes }))) return { exitCode: 1, reason: 'exit', detail: tooMuch }
  for (const name of await readdir(source)) await rm(join(source, name), { recursive: true, force: true })
  await cp(code, source, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (path) => {
      const found = await lstat(path)
      return found.isFile() || found.isDirectory() || found.isSymbolicLink()
    },
  })
  return end
}

async function exceeds(dir: string, left: { bytes: number; files: number }): Promise<boolean> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    left.files -= 1
    if (entry.isFile()) left.bytes -= (await lstat(path)).size
    if (left.files < 0 || left.bytes < 0) return true
    if (entry.isDirectory() && (await exceeds(path, left))) return true
  }
  return false
}
