import { join } from 'node:path'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { errnoOf, messageOf, NotFoundError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { TOUCH_MS } from '../constants.ts'
import { HashMismatchError, InUseError, TooLargeError } from '../errors.ts'
import type { StoreContext } from '../store/complete-store.ts'
import type { Evictable } from '../store/disk-quota.ts'
import { MANIFEST, withDiskErrors, writeFileAtomic } from '../store/store-layout.ts'
import { isIntact } from './blob-files.ts'
import { BLOBS, FILES_PER_IMAGE, type ImageEntry, newEntry, readEntry, storedImage, usageOf } from './image-entry.ts'
import { decodeImageManifest, type ImageBlob } from './image-manifest.ts'
import { openImageWriter } from './image-writer.ts'
import type { ImageReader, ImageStore } from './types.ts'

/** The images of a code store; they share its quota and its pins. */
export async function openImageStore(store: StoreContext, init: { maxBytes: number }) {
  const { clock, disk, events, layout, log, quota } = store
  const images = new Map<string, ImageEntry>()
  const folderOf = (key: string) => join(layout.images, key)
  const blobsOf = (key: string) => join(folderOf(key), BLOBS)

  for (const name of await disk.readdir(layout.images)) {
    const entry = await readEntry(disk, folderOf(name), name).catch((error) => {
      log.debug('the folder is no image', { name, error: messageOf(error) })
    })
    if (entry === undefined) await store.moveToTrash(folderOf(name))
    else {
      images.set(name, entry)
      quota.addExisting(usageOf(entry))
    }
  }

  async function remove(key: string, entry: ImageEntry, why: 'evicted' | 'removed' | 'damaged'): Promise<void> {
    if (images.get(key) !== entry) return
    images.delete(key)
    quota.release(usageOf(entry))
    await store.changes.add(() => store.moveToTrash(folderOf(key)))
    if (entry.complete || entry.damaged !== undefined) events.emit('code:removed', { code: key, why })
  }

  /** This node uses it. */
  function touch(key: string): void {
    const entry = images.get(key)
    const now = clock.now()
    if (entry === undefined || now - entry.usedAt < TOUCH_MS) return
    entry.usedAt = now
    disk
      .utimes(join(folderOf(key), MANIFEST), now / 1000, now / 1000)
      .catch((error) => log.debug('the last use of an image was not noted', { code: key, error: messageOf(error) }))
  }

  /** Hashes a blob the first time that it is read in this process: a disk that lost a bit is nobody's lie. */
  function isRight(key: string, entry: ImageEntry, blob: ImageBlob): Promise<boolean> {
    const known = entry.verified.get(blob.digest) ?? checkBlob(key, entry, blob)
    entry.verified.set(blob.digest, known)
    return known
  }

  async function checkBlob(key: string, entry: ImageEntry, blob: ImageBlob): Promise<boolean> {
    const writes = entry.writes.get(blob.digest)
    const intact = await isIntact(disk, blobsOf(key), blob).catch((error) => {
      if (errnoOf(error) === 'ENOENT') return false
      entry.verified.delete(blob.digest)
      throw error
    })
    if (!intact && entry.writes.get(blob.digest) === writes) await lost(key, entry, [blob])
    return intact
  }

  /**
   * False if it is in use, or on its way: the engine has loaded it already. The blobs that are wrong go, and are fetched
   * again. What was never whole is not damaged.
   */
  async function lost(key: string, entry: ImageEntry, wrong: readonly ImageBlob[]): Promise<boolean> {
    log.error('the disk has lost bytes of an image', { code: key })
    if (images.get(key) !== entry) return false
    if (!entry.writer && !store.isPinned(key)) {
      await remove(key, entry, 'damaged')
      return true
    }
    const before = usageOf(entry)
    for (const { digest } of wrong) {
      entry.have.delete(digest)
      entry.verified.delete(digest)
    }
    const after = usageOf(entry)
    quota.release({ bytes: before.bytes - after.bytes, files: before.files - after.files })
    const isNew = entry.complete
    if (isNew || entry.damaged !== undefined) {
      Object.assign(entry, { complete: false, damaged: damageOf(wrong) })
    }
    // the one that comes takes the place of a wrong one
    if (!entry.writer) await removeBlobs(key, entry, wrong)
    if (isNew) events.emit('code:damaged', { code: key, why: damageOf(wrong) })
    return false
  }

  /** Nothing is fetched to a place from which something is just being taken away. */
  async function removeBlobs(key: string, entry: ImageEntry, blobs: readonly ImageBlob[]): Promise<void> {
    entry.writer = true
    try {
      for (const { digest } of blobs) await disk.rm(join(blobsOf(key), digest), { force: true })
    } catch (error) {
      log.debug('a damaged blob stays until it is fetched again', { code: key, error: messageOf(error) })
    } finally {
      entry.writer = false
    }
  }

  const writerOf = (key: string, entry: ImageEntry) => {
    // what is in use stays also where what it lacks does not come
    const discard = async () => {
      if (entry.damaged === undefined || !store.isPinned(key)) await remove(key, entry, 'removed')
    }
    return openImageWriter({ ...store, folder: folderOf(key), discard }, { key, entry })
  }

  const contract: ImageStore = {
    has: (code) => images.get(code.toString())?.complete === true,
    damage: (code) => images.get(code.toString())?.damaged,
    provenance: (code) => images.get(code.toString())?.provenance,
    list: () => [...images].map(([key, entry]) => storedImage(entry, store.isPinned(key))),

    open(code) {
      const key = code.toString()
      const entry = images.get(key)
      return entry && readerOf(key, entry)
    },

    resume(code) {
      const entry = images.get(code.toString())
      return entry === undefined || entry.complete ? undefined : writerOf(code.toString(), entry)
    },

    async begin(code, encoded) {
      const key = code.toString()
      if (!cidOfBytes(encoded).equals(code))
        throw new HashMismatchError('the manifest is not the one that was asked for')
      const manifest = decodeImageManifest(encoded)
      if (manifest.size > init.maxBytes) {
        const [size, max] = [manifest.size, init.maxBytes].map(formatBytes)
        throw new TooLargeError(`the image has ${size}; the code store may use ${max} in all`)
      }
      quota.check({ bytes: manifest.size, files: FILES_PER_IMAGE + manifest.blobs.length })
      await quota.reserve({ bytes: encoded.byteLength, files: FILES_PER_IMAGE })
      const entry = newEntry({ code, manifest, encoded, usedAt: clock.now() })
      if (images.has(key)) {
        quota.release(usageOf(entry))
        throw new InUseError('the image is in the store already')
      }
      images.set(key, entry)
      try {
        const temp = await withDiskErrors(layout.temp, disk.mkdtemp(join(layout.temp, 'in-')))
        await disk.mkdir(join(temp, BLOBS))
        await withDiskErrors(layout.temp, writeFileAtomic(disk, join(temp, MANIFEST), encoded))
        await store.changes.add(() => withDiskErrors(layout.images, disk.rename(temp, folderOf(key))))
        return writerOf(key, entry)
      } catch (error) {
        await remove(key, entry, 'removed')
        throw error
      }
    },

    async remove(code, why) {
      const key = code.toString()
      const entry = images.get(key)
      if (entry?.writer === true) throw new InUseError(`the image ${key} is being fetched`)
      if (entry !== undefined) await remove(key, entry, why)
    },

    folder(code) {
      const key = code.toString()
      const entry = images.get(key)
      if (entry?.complete !== true) throw new NotFoundError(`the image ${key} is not in the store`)
      return folderOf(key)
    },

    async *verify({ only, signal } = {}) {
      for (const [key, entry] of [...images].filter(([, each]) => each.complete || each.damaged !== undefined)) {
        if (images.get(key) !== entry || only?.has(key) === false) continue
        const checked = { code: entry.code, bytes: entry.manifest.size }
        const wrong = entry.complete ? await wrongBlobs(key, entry, signal) : []
        if (images.get(key) !== entry) continue
        if (wrong.length > 0) {
          const why = damageOf(wrong)
          yield { ...checked, state: (await lost(key, entry, wrong)) ? 'removed' : 'damaged', why }
        } else if (entry.damaged !== undefined) yield { ...checked, state: 'damaged', why: entry.damaged }
        else yield { ...checked, state: 'ok' }
      }
    },
  }

  async function wrongBlobs(key: string, { manifest, writes }: ImageEntry, signal: AbortSignal | undefined) {
    const wrong: ImageBlob[] = []
    const before = new Map(writes)
    for (const blob of manifest.blobs) {
      const intact = await isIntact(disk, blobsOf(key), blob, { signal }).catch((error) => {
        if (errnoOf(error) === 'ENOENT') return false
        throw error
      })
      if (!intact) wrong.push(blob)
    }
    // what was fetched again meanwhile is another file
    return wrong.filter(({ digest }) => writes.get(digest) === before.get(digest))
  }

  function readerOf(key: string, entry: ImageEntry): ImageReader {
    return {
      manifest: entry.manifest,
      encoded: entry.encoded,
      async blobSize(digest) {
        const blob = entry.manifest.blobs.find((each) => each.digest === digest)
        if (blob === undefined || !entry.have.has(digest) || !(await isRight(key, entry, blob))) return undefined
        return blob.size
      },
      async read(digest, offset, bytes) {
        await using file = await disk.open(join(blobsOf(key), digest))
        const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, offset)
        return bytesRead === bytes.byteLength
      },
    }
  }

  return {
    ...contract,
    touch,
    evictable: (): Evictable[] =>
      [...images]
        .filter(([key, entry]) => !entry.writer && !store.isPinned(key))
        .map(([key, entry]) => ({
          ...usageOf(entry),
          usedAt: entry.usedAt,
          evict: () => remove(key, entry, 'evicted'),
        })),
  }
}

function damageOf([first, ...more]: readonly ImageBlob[]): string {
  const name = first?.digest.slice(0, 12)
  if (more.length === 0) return `its blob ${name} is damaged on this disk`
  return `${more.length + 1} of its blobs, the first of them ${name}, are damaged on this disk`
}
