import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { errnoOf } from '../../base/errors.ts'
import { FILES_PER_CODE, MAX_SCRATCH_ENTRIES, SCRATCH_AHEAD_BYTES, SCRATCH_WATCH_MS } from '../constants.ts'
import { BadArchiveError } from '../errors.ts'
import type { Scratch } from '../types.ts'
import type { DiskQuota } from './disk-quota.ts'

export type ScratchComponents = {
  readonly clock: Clock
  readonly quota: DiskQuota
  readonly tempDir: () => Promise<string>
  readonly moveToTrash: (path: string) => Promise<void>
}

/**
 * A folder that another process fills. Its disk space is reserved as it fills, a little ahead, so that nothing is evicted
 * for what never comes. The folder is measured: the process may be a hostile one.
 */
export async function openScratch(components: ScratchComponents, maxBytes: number): Promise<Scratch> {
  const { clock, quota, tempDir, moveToTrash } = components
  const over = new AbortController()
  const reserved = { bytes: 0, files: FILES_PER_CODE }
  const grow = async (bytes: number, files = 0) => {
    await quota.reserve({ bytes, files })
    reserved.bytes += bytes
  }
  const aheadOf = (bytes: number) => Math.min(maxBytes, bytes + SCRATCH_AHEAD_BYTES)
  await grow(aheadOf(0), FILES_PER_CODE)
  const dir = await tempDir().catch((error) => {
    quota.release(reserved)
    throw error
  })
  let measuring: Promise<void> | undefined

  async function measure(): Promise<void> {
    const wanted = aheadOf(await bytesIn(dir))
    if (wanted > reserved.bytes && !over.signal.aborted) await grow(wanted - reserved.bytes)
  }
  const timer = clock.every(SCRATCH_WATCH_MS, () => {
    measuring ??= measure()
      .catch((error) => {
        // a folder that went while it was read is measured the next time
        if (errnoOf(error) !== 'ENOENT') over.abort(error)
      })
      .finally(() => {
        measuring = undefined
      })
  })
  return {
    dir,
    full: over.signal,
    async [Symbol.asyncDispose]() {
      timer.cancel()
      over.abort()
      await measuring
      quota.release(reserved)
      await moveToTrash(dir)
    },
  }
}

/** What all below a folder takes; links are not followed. What has just gone takes nothing. */
async function bytesIn(dir: string): Promise<number> {
  let [bytes, entries] = [0, 0]
  for await (const { parentPath, name } of await opendir(dir, { recursive: true })) {
    if (++entries > MAX_SCRATCH_ENTRIES) {
      throw new BadArchiveError(`the download made more than ${MAX_SCRATCH_ENTRIES} files and folders to work with`)
    }
    const info = await lstat(join(parentPath, name)).catch((error) => {
      if (errnoOf(error) !== 'ENOENT') throw error
    })
    bytes += (info?.blocks ?? 0) * 512
  }
  return bytes
}
