import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Timer } from '../../base/clock.ts'
import { DISK_LIMIT_MS } from '../constants.ts'

/** Folders that a run may write to where the kernel bounds none of them, and what each may hold. */
export type WatchedDisk = { readonly dirs: readonly string[]; readonly bytes: number; readonly inodes: number }

export interface DiskLimit {
  /** Has it held more than it may, or does it now? */
  exceeded(): Promise<boolean>
  stop(): void
}

type Left = { bytes: number; inodes: number }

/**
 * Looks again and again what a run's folders hold, what it has unlinked and still has open too, and reports once when that
 * is too much. Between two looks a run can write more than it may: the grant says that its disk is watched.
 */
export function limitDisk(
  clock: Clock,
  disk: WatchedDisk,
  pid: () => number | undefined,
  onFull: () => void,
): DiskLimit {
  let full = false
  let stopped = false
  async function look(): Promise<boolean> {
    if (!full) full = await exceeds(disk, pid())
    return full
  }
  async function watch(): Promise<void> {
    const began = clock.monotonic()
    if (await look()) return onFull()
    // a walk of many files takes its share of time and no more
    if (!stopped) next = lookAfter(Math.max(DISK_LIMIT_MS, 4 * (clock.monotonic() - began)))
  }
  const lookAfter = (ms: number): Timer => clock.after(ms, () => void watch())
  let next = lookAfter(DISK_LIMIT_MS)
  return {
    exceeded: look,
    stop() {
      stopped = true
      next.cancel()
    },
  }
}

async function exceeds({ dirs, bytes, inodes }: WatchedDisk, pid: number | undefined): Promise<boolean> {
  const unlinked = await bytesUnlinked(pid)
  for (const dir of dirs) {
    const left = { bytes: bytes - unlinked, inodes }
    await measure(dir, left)
    if (left.bytes < 0 || left.inodes < 0) return true
  }
  return false
}

/** Takes what a folder holds from `left`, and stops where nothing is left. */
async function measure(dir: string, left: Left): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (left.bytes < 0 || left.inodes < 0) return
    left.inodes -= 1
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await measure(path, left)
    else left.bytes -= await lstat(path).then(held, () => 0)
  }
}

/** Of files that a process has open and that have no name any more. */
async function bytesUnlinked(pid: number | undefined): Promise<number> {
  const dir = `/proc/${pid}/fd`
  const files = await readdir(dir).catch(() => [])
  const sizes = files.map((name) =>
    stat(join(dir, name)).then(
      (found) => (found.isFile() && found.nlink === 0 ? held(found) : 0),
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function held({ blocks }: { readonly blocks: number }): number {
  return blocks * 512
}
