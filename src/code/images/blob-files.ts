import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Disk } from '../../base/os/disk.ts'
import { HashMismatchError } from '../errors.ts'
import { withDiskErrors } from '../store/store-layout.ts'
import type { AbortOptions } from '../stored-code.ts'
import type { ImageBlob } from './image-manifest.ts'

/** A blob that is not whole yet. */
const PART = '.part'
/** Read at once. */
const READ_BYTES = 1024 * 1024

/** The blobs of a folder that have the size that they should have; anything else is removed. */
export async function scanBlobs(disk: Disk, folder: string, blobs: readonly ImageBlob[]): Promise<Set<string>> {
  const sizes = new Map(blobs.map(({ digest, size }) => [digest, size]))
  const found = new Set<string>()
  for (const name of await disk.readdir(folder)) {
    const info = await disk.stat(join(folder, name))
    if (info.isFile() && sizes.get(name) === info.size) found.add(name)
    else await disk.rm(join(folder, name), { recursive: true, force: true })
  }
  return found
}

export type BlobWrite = {
  readonly folder: string
  readonly blob: ImageBlob
  readonly pieces: AsyncIterable<Uint8Array>
  /** Called before bytes are written. */
  readonly reserve: (bytes: number) => Promise<void>
}

/** Writes a blob, which appears under its name when it is whole and right. */
export async function writeBlob(disk: Disk, { folder, blob, pieces, reserve }: BlobWrite): Promise<void> {
  const path = join(folder, blob.digest)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    {
      await using file = await withDiskErrors(folder, disk.open(`${path}${PART}`, 'w', 0o644))
      for await (const piece of pieces) {
        bytes += piece.byteLength
        if (bytes > blob.size) break
        await reserve(piece.byteLength)
        hash.update(piece)
        await withDiskErrors(folder, file.writeFile(piece))
      }
    }
    if (bytes !== blob.size) throw new HashMismatchError(`a blob of ${blob.size} bytes came as one of ${bytes}`)
    if (hash.digest('hex') !== blob.digest) throw new HashMismatchError('a blob is not the one that the manifest names')
    await withDiskErrors(folder, disk.rename(`${path}${PART}`, path))
  } catch (error) {
    await disk.rm(`${path}${PART}`, { force: true })
    throw error
  }
}

/** Is this file still the blob? */
export async function isIntact(
  disk: Disk,
  folder: string,
  { digest, size }: ImageBlob,
  { signal }: AbortOptions = {},
): Promise<boolean> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  await using file = await disk.open(join(folder, digest))
  let bytes = 0
  for (let bytesRead = 1; bytesRead > 0; bytes += bytesRead) {
    signal?.throwIfAborted()
    ;({ bytesRead } = await file.read(buffer, 0, READ_BYTES, bytes))
    hash.update(buffer.subarray(0, bytesRead))
  }
  return bytes === size && hash.digest('hex') === digest
}
