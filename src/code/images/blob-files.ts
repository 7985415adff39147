import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HashMismatchError } from '../errors.ts'
import { withDiskErrors } from '../store/store-layout.ts'
import type { AbortOptions } from '../stored-code.ts'
import type { ImageBlob } from './image-manifest.ts'

/** A blob that is not whole yet. */
const PART = '.part'

/** The blobs of a folder that have the size that they should have; anything else is removed. */
export async function scanBlobs(folder: string, blobs: readonly ImageBlob[]): Promise<Set<string>> {
  const sizes = new Map(blobs.map(({ digest, size }) => [digest, size]))
  const found = new Set<string>()
  for (const name of await readdir(folder)) {
    const info = await stat(join(folder, name))
    if (info.isFile() && sizes.get(name) === info.size) found.add(name)
    else await rm(join(folder, name), { recursive: true, force: true })
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
export async function writeBlob({ folder, blob, pieces, reserve }: BlobWrite): Promise<void> {
  const path = join(folder, blob.digest)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    {
      await using file = await withDiskErrors(folder, open(`${path}${PART}`, 'w', 0o644))
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
    await withDiskErrors(folder, rename(`${path}${PART}`, path))
  } catch (error) {
    await rm(`${path}${PART}`, { force: true })
    throw error
  }
}

/** Is this file still the blob? */
export async function isIntact(
  folder: string,
  { digest, size }: ImageBlob,
  options: AbortOptions = {},
): Promise<boolean> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of createReadStream(join(folder, digest), { highWaterMark: 1024 * 1024, ...options })) {
    hash.update(piece as Buffer)
    bytes += (piece as Buffer).byteLength
  }
  return bytes === size && hash.digest('hex') === digest
}
