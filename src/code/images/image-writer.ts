import { join } from 'node:path'
import { HashMismatchError, InUseError } from '../errors.ts'
import type { StoreContext } from '../store/complete-store.ts'
import { writeProvenance } from '../store/provenance.ts'
import { withDiskErrors } from '../store/store-layout.ts'
import type { CodeProvenance } from '../stored-code.ts'
import { writeBlob } from './blob-files.ts'
import { BLOBS, bytesOf, type ImageEntry } from './image-entry.ts'
import type { PartialImage } from './types.ts'

export type ImageWriterComponents = Pick<StoreContext, 'clock' | 'disk' | 'events' | 'layout' | 'quota'> & {
  /** of the image */
  readonly folder: string
  readonly discard: () => Promise<void>
}

/** Takes the blobs of one image in, as far as the quota allows. Throws InUseError where another writer does. */
export function openImageWriter(
  { clock, disk, events, layout, quota, folder, discard }: ImageWriterComponents,
  { key, entry }: { key: string; entry: ImageEntry },
): PartialImage {
  if (entry.writer) throw new InUseError('the image is being fetched already')
  entry.writer = true
  const leave = () => {
    entry.writer = false
  }
  return {
    manifest: entry.manifest,
    missing: () => entry.manifest.blobs.filter(({ digest }) => !entry.have.has(digest)),
    get bytes() {
      return bytesOf(entry)
    },
    async write(blob, pieces) {
      if (entry.have.has(blob.digest)) return
      const reserved = { bytes: 0, files: 1 }
      await quota.reserve(reserved)
      const reserve = async (bytes: number) => {
        await quota.reserve({ bytes, files: 0 })
        reserved.bytes += bytes
      }
      try {
        await writeBlob(disk, { folder: join(folder, BLOBS), blob, pieces, reserve })
        entry.have.add(blob.digest)
        entry.writes.set(blob.digest, (entry.writes.get(blob.digest) ?? 0) + 1)
        entry.verified.set(blob.digest, Promise.resolve(true))
      } catch (error) {
        quota.release(reserved)
        throw error
      }
    },
    async commit({ from = 'local', source, startedAt }) {
      checkWhole(entry)
      const ms = startedAt === undefined ? undefined : clock.monotonic() - startedAt
      const provenance: CodeProvenance = { from, source, at: clock.now(), ms }
      await withDiskErrors(layout.images, writeProvenance(disk, folder, provenance))
      // a peer may have read what the disk has lost meanwhile
      checkWhole(entry)
      Object.assign(entry, { provenance, complete: true, damaged: undefined, usedAt: provenance.at })
      leave()
      events.emit('code:added', { code: key, size: entry.manifest.size, from })
    },
    async discard() {
      leave()
      await discard()
    },
    async [Symbol.asyncDispose]() {
      leave()
    },
  }
}

function checkWhole({ have, manifest }: ImageEntry): void {
  if (have.size !== manifest.blobs.length) throw new HashMismatchError('the image is not complete yet')
}
