import { join } from 'node:path'
import type { CID } from '../../../protocols/encoding.ts'
import { type ArchiveManifest, codeId, decodeManifest } from '../../../protocols/streams/archive.ts'
import { errnoOf, messageOf } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import type { Disk } from '../../base/os/disk.ts'
import { FILES_PER_CODE } from '../constants.ts'
import { BadArchiveError, HashMismatchError, InUseError, TooLargeError } from '../errors.ts'
import type { AbortOptions, ChunkReader, PartialCode } from '../types.ts'
import { openChunkReader } from './chunk-reader.ts'
import type { StoreContext } from './complete-store.ts'
import type { DiskUsage, Evictable } from './disk-quota.ts'
import { openPartial, type PartialLifecycle } from './partial-archive.ts'
import { type FoundCode, MANIFEST, scanCodes, TAR, withDiskErrors, writeFileAtomic } from './store-layout.ts'

type PartialEntry = {
  readonly found: FoundCode
  /** What it takes of the store: nothing is evicted for chunks that may never come. */
  bytes: number
  open?: PartialCode | 'opening' | undefined
}

type PartialStoreInit = {
  readonly maxBytes: number
  readonly isComplete: (key: string) => boolean
  /** Makes a finished folder a complete code. False if the code was added concurrently. */
  readonly adopt: (path: string, found: FoundCode, startedAt: number | undefined) => Promise<boolean>
}

/** The codes that are being fetched, or were when the node ended. */
export async function openPartialStore(store: StoreContext, init: PartialStoreInit) {
  const { clock, disk, layout, quota } = store
  const partial = new Map<string, PartialEntry>()
  const folderOf = (key: string) => join(layout.partial, key)

  for (const found of await scanCodes(disk, layout.partial, 'partial')) {
    const key = found.code.toString()
    if (init.isComplete(key)) {
      await store.moveToTrash(folderOf(key))
    } else {
      const entry = { found, bytes: Math.min(found.manifest.size, await allocatedBytes(disk, folderOf(key))) }
      partial.set(key, entry)
      quota.addExisting(usageOf(entry))
    }
  }

  async function remove(key: string, entry: PartialEntry): Promise<void> {
    if (partial.get(key) !== entry) return
    partial.delete(key)
    quota.release(usageOf(entry))
    await store.changes.add(() => store.moveToTrash(folderOf(key)))
  }

  function accountOf(entry: PartialEntry): Pick<PartialLifecycle, 'found' | 'reserve' | 'unreserve'> {
    const unreserve = (bytes: number) => {
      quota.release({ bytes, files: 0 })
      entry.bytes -= bytes
    }
    return {
      found: (bytes) => unreserve(entry.bytes - bytes),
      async reserve(bytes) {
        await quota.reserve({ bytes, files: 0 })
        entry.bytes += bytes
      },
      unreserve,
    }
  }

  async function open(key: string, entry: PartialEntry, options: AbortOptions): Promise<PartialCode> {
    if (entry.open !== undefined) throw new InUseError('the code is being fetched already')
    entry.open = 'opening'
    const release = () => {
      entry.open = undefined
    }
    const commit = async (startedAt: number | undefined) => {
      const isNew = await init.adopt(folderOf(key), entry.found, startedAt)
      partial.delete(key)
      if (!isNew) quota.release(usageOf(entry))
    }
    try {
      const lifecycle = { ...accountOf(entry), release, commit, discard: () => remove(key, entry) }
      entry.open = await openPartial(disk, folderOf(key), entry.found, lifecycle, options)
      return entry.open
    } catch (error) {
      release()
      throw error
    }
  }

  return {
    map: partial as ReadonlyMap<string, PartialEntry>,
    remove,

    evictable: (): Evictable[] =>
      [...partial]
        .filter(([key, entry]) => entry.open === undefined && !store.isPinned(key))
        .map(([key, entry]) => ({
          ...usageOf(entry),
          usedAt: entry.found.usedAt,
          evict: () => remove(key, entry),
        })),

    /** What has come so far, for peers that want it too. */
    async read(key: string): Promise<ChunkReader | undefined> {
      const entry = partial.get(key)
      if (entry?.open === undefined || entry.open === 'opening') return undefined
      return openChunkReader(disk, entry.open.path, entry.found, entry.open, async () => {})
    },

    async resume(key: string, options: AbortOptions): Promise<PartialCode | undefined> {
      const entry = partial.get(key)
      if (entry === undefined) return undefined
      try {
        return await open(key, entry, options)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        // its folder is gone
        await remove(key, entry)
        return undefined
      }
    },

    async begin(code: CID, encoded: Uint8Array): Promise<PartialCode> {
      const key = code.toString()
      if (!codeId(encoded).equals(code)) {
        throw new HashMismatchError('the manifest is not the one that the code is named after')
      }
      const manifest = readManifest(encoded)
      if (manifest.size > init.maxBytes) {
        const [size, max] = [manifest.size, init.maxBytes].map(formatBytes)
        throw new TooLargeError(`the code has ${size}; the code store may use ${max} in all`)
      }
      quota.check({ bytes: manifest.size, files: FILES_PER_CODE })
      await quota.reserve(NO_CHUNKS)
      if (init.isComplete(key) || partial.has(key)) {
        quota.release(NO_CHUNKS)
        throw new InUseError('the code is in the store already')
      }
      const entry: PartialEntry = {
        found: { code, manifest, encoded, usedAt: clock.now(), unpacked: false, entries: 0 },
        bytes: 0,
      }
      partial.set(key, entry)
      try {
        const temp = await withDiskErrors(layout.temp, disk.mkdtemp(join(layout.temp, 'in-')))
        await withDiskErrors(layout.temp, writeFileAtomic(disk, join(temp, MANIFEST), encoded))
        await store.changes.add(() => withDiskErrors(layout.partial, disk.rename(temp, folderOf(key))))
        return await open(key, entry, {})
      } catch (error) {
        await remove(key, entry)
        throw error
      }
    },

    async dispose(): Promise<void> {
      for (const { open } of partial.values()) {
        if (open !== undefined && open !== 'opening') await open[Symbol.asyncDispose]()
      }
    },
  }
}

const NO_CHUNKS: DiskUsage = { bytes: 0, files: FILES_PER_CODE }

function usageOf({ bytes }: PartialEntry): DiskUsage {
  return { ...NO_CHUNKS, bytes }
}

/** The tar of an interrupted fetch has holes. */
async function allocatedBytes(disk: Disk, folder: string): Promise<number> {
  const info = await disk.stat(join(folder, TAR)).catch(() => undefined)
  return (info?.blocks ?? 0) * 512
}

/** Bytes with the right hash that are not a manifest: the code itself is invalid, and no peer is to blame. */
function readManifest(encoded: Uint8Array): ArchiveManifest {
  try {
    return decodeManifest(encoded)
  } catch (cause) {
    throw new BadArchiveError(`the manifest of the code is malformed: ${messageOf(cause)}`, { cause })
  }
}
