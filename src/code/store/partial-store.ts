import { mkdtemp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchiveManifest, codeId, decodeManifest } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { messageOf } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { FILES_PER_CODE } from '../constants.ts'
import { BadArchiveError, HashMismatchError, InUseError, TooLargeError } from '../errors.ts'
import type { AbortOptions, ChunkReader, PartialCode } from '../types.ts'
import { openChunkReader } from './chunk-reader.ts'
import type { StoreContext } from './complete-store.ts'
import type { DiskUsage, Evictable } from './disk-quota.ts'
import { openPartial } from './partial-archive.ts'
import { type FoundCode, MANIFEST, scanCodes, withDiskErrors, writeFileAtomic } from './store-layout.ts'

type PartialEntry = { readonly found: FoundCode; open?: PartialCode | 'opening' | undefined }

type PartialStoreInit = {
  readonly maxBytes: number
  readonly isComplete: (key: string) => boolean
  /** Makes a finished folder a complete code. False if the code was added concurrently. */
  readonly adopt: (path: string, found: FoundCode, startedAt: number | undefined) => Promise<boolean>
}

/** The codes that are being fetched, or were when the node ended. */
export async function openPartialStore(store: StoreContext, init: PartialStoreInit) {
  const { clock, layout, quota } = store
  const partial = new Map<string, PartialEntry>()
  const folderOf = (key: string) => join(layout.partial, key)

  for (const found of await scanCodes(layout.partial, 'partial')) {
    const key = found.code.toString()
    if (init.isComplete(key)) {
      await store.moveToTrash(folderOf(key))
    } else {
      partial.set(key, { found })
      quota.addExisting(usageOf(found))
    }
  }

  async function remove(key: string, entry: PartialEntry): Promise<void> {
    if (partial.get(key) !== entry) return
    partial.delete(key)
    quota.release(usageOf(entry.found))
    await store.changes.add(() => store.moveToTrash(folderOf(key)))
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
      if (!isNew) quota.release(usageOf(entry.found))
    }
    try {
      const end = { release, commit, discard: () => remove(key, entry) }
      entry.open = await openPartial(folderOf(key), entry.found, end, options)
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
          ...usageOf(entry.found),
          usedAt: entry.found.usedAt,
          evict: () => remove(key, entry),
        })),

    /** What has come so far, for peers that want it too. */
    async read(key: string): Promise<ChunkReader | undefined> {
      const entry = partial.get(key)
      if (entry?.open === undefined || entry.open === 'opening') return undefined
      return openChunkReader(entry.open.path, entry.found, entry.open, async () => {})
    },

    async resume(key: string, options: AbortOptions): Promise<PartialCode | undefined> {
      const entry = partial.get(key)
      return entry === undefined ? undefined : open(key, entry, options)
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
      await quota.reserve(usageOf({ manifest }))
      if (init.isComplete(key) || partial.has(key)) {
        quota.release(usageOf({ manifest }))
        throw new InUseError('the code is in the store already')
      }
      const entry: PartialEntry = {
        found: { code, manifest, encoded, usedAt: clock.now(), unpacked: false, entries: 0 },
      }
      partial.set(key, entry)
      try {
        const temp = await withDiskErrors(layout.temp, mkdtemp(join(layout.temp, 'in-')))
        await withDiskErrors(layout.temp, writeFileAtomic(join(temp, MANIFEST), encoded))
        await store.changes.add(() => withDiskErrors(layout.partial, rename(temp, folderOf(key))))
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

function usageOf({ manifest }: Pick<FoundCode, 'manifest'>): DiskUsage {
  return { bytes: manifest.size, files: FILES_PER_CODE }
}

/** Bytes with the right hash that are not a manifest: the code itself is invalid, and no peer is to blame. */
function readManifest(encoded: Uint8Array): ArchiveManifest {
  try {
    return decodeManifest(encoded)
  } catch (cause) {
    throw new BadArchiveError(`the manifest of the code is malformed: ${messageOf(cause)}`, { cause })
  }
}
