import { mkdtemp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchiveManifest, codeId, decodeManifest } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { messageOf } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { FILES_PER_CODE } from '../constants.ts'
import { BadArchiveError, InUseError, TooLargeError, WrongBytesError } from '../errors.ts'
import type { ChunkReader, PartialCode, Signalled } from '../types.ts'
import { openReader } from './chunk-reader.ts'
import type { StoreParts } from './complete-store.ts'
import type { Evictable, Room } from './disk-quota.ts'
import { openPartial } from './partial-archive.ts'
import { type FoundCode, findCodes, MANIFEST, onDisk, writeWhole } from './store-layout.ts'

type Part = { readonly found: FoundCode; open?: PartialCode | 'opening' | undefined }

type PartsInit = {
  readonly maxBytes: number
  readonly isWhole: (key: string) => boolean
  /** Makes a finished folder a whole code. False where somebody else was quicker. */
  readonly adopt: (path: string, found: FoundCode) => Promise<boolean>
}

/** The codes that are being fetched, or were when the node ended. */
export async function openParts(store: StoreParts, init: PartsInit) {
  const { clock, layout, quota } = store
  const parts = new Map<string, Part>()
  const folderOf = (key: string) => join(layout.partial, key)

  for (const found of await findCodes(layout.partial, 'partial')) {
    const key = found.code.toString()
    if (init.isWhole(key)) {
      await store.bury(folderOf(key))
    } else {
      parts.set(key, { found })
      quota.keep(roomOf(found))
    }
  }

  async function remove(key: string, part: Part): Promise<void> {
    if (parts.get(key) !== part) return
    parts.delete(key)
    quota.give(roomOf(part.found))
    await store.changes.add(() => store.bury(folderOf(key)))
  }

  async function open(key: string, part: Part, options: Signalled): Promise<PartialCode> {
    if (part.open !== undefined) throw new InUseError('the code is being fetched already')
    part.open = 'opening'
    const leave = () => {
      part.open = undefined
    }
    const commit = async () => {
      const isNew = await init.adopt(folderOf(key), part.found)
      parts.delete(key)
      if (!isNew) quota.give(roomOf(part.found))
    }
    try {
      const end = { leave, commit, discard: () => remove(key, part) }
      part.open = await openPartial(folderOf(key), part.found, end, options)
      return part.open
    } catch (error) {
      leave()
      throw error
    }
  }

  return {
    map: parts as ReadonlyMap<string, Part>,
    remove,

    evictable: (): Evictable[] =>
      [...parts]
        .filter(([key, part]) => part.open === undefined && !store.isPinned(key))
        .map(([key, part]) => ({
          ...roomOf(part.found),
          usedAt: part.found.usedAt,
          evict: () => remove(key, part),
        })),

    /** What has come so far, for peers that want it too. */
    async read(key: string): Promise<ChunkReader | undefined> {
      const part = parts.get(key)
      if (part?.open === undefined || part.open === 'opening') return undefined
      return openReader(part.open.path, part.found, part.open, async () => {})
    },

    async resume(key: string, options: Signalled): Promise<PartialCode | undefined> {
      const part = parts.get(key)
      return part === undefined ? undefined : open(key, part, options)
    },

    async begin(code: CID, encoded: Uint8Array): Promise<PartialCode> {
      const key = code.toString()
      if (!codeId(encoded).equals(code)) {
        throw new WrongBytesError('the manifest is not the one that the code is named after')
      }
      const manifest = readManifest(encoded)
      if (manifest.size > init.maxBytes) {
        const [size, max] = [manifest.size, init.maxBytes].map(formatBytes)
        throw new TooLargeError(`the code has ${size}; the code store may use ${max} in all`)
      }
      await quota.take(roomOf({ manifest }))
      if (init.isWhole(key) || parts.has(key)) {
        quota.give(roomOf({ manifest }))
        throw new InUseError('the code is in the store already')
      }
      const part: Part = { found: { code, manifest, encoded, usedAt: clock.now(), unpacked: false, entries: 0 } }
      parts.set(key, part)
      try {
        const temp = await onDisk(layout.temp, mkdtemp(join(layout.temp, 'in-')))
        await onDisk(layout.temp, writeWhole(join(temp, MANIFEST), encoded))
        await store.changes.add(() => onDisk(layout.partial, rename(temp, folderOf(key))))
        return await open(key, part, {})
      } catch (error) {
        await remove(key, part)
        throw error
      }
    },

    async dispose(): Promise<void> {
      for (const { open } of parts.values()) {
        if (open !== undefined && open !== 'opening') await open[Symbol.asyncDispose]()
      }
    },
  }
}

function roomOf({ manifest }: Pick<FoundCode, 'manifest'>): Room {
  return { bytes: manifest.size, files: FILES_PER_CODE }
}

/** A manifest with the right hash that is no manifest: the code was never any good, and no peer is to blame. */
function readManifest(encoded: Uint8Array): ArchiveManifest {
  try {
    return decodeManifest(encoded)
  } catch (cause) {
    throw new BadArchiveError(`the manifest of the code is malformed: ${messageOf(cause)}`, { cause })
  }
}
