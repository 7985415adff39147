import { join } from 'node:path'
import { compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { chunkLength } from '../../../protocols/streams/archive.ts'
import { errnoOf } from '../../base/errors.ts'
import type { Disk, OpenFile } from '../../base/os/disk.ts'
import type { AbortOptions } from '../types.ts'
import { type FoundCode, MANIFEST, sizeProblem, TAR } from './store-layout.ts'

export type Damage = { readonly why: string; readonly chunks: readonly number[] }

/** What the disk says when the bytes are gone. Any other error, such as too many open files, says nothing of them. */
const LOST = ['ENOENT', 'EIO', 'ENODATA', 'EBADMSG', 'EUCLEAN']

/** Reads a whole archive, as it is on the disk now. Undefined where each byte is right. */
export async function findDamage(
  disk: Disk,
  folder: string,
  found: Pick<FoundCode, 'manifest' | 'encoded'>,
  options: AbortOptions,
): Promise<Damage | undefined> {
  const all = [...found.manifest.chunks.keys()]
  try {
    const manifest = await disk.readFile(join(folder, MANIFEST))
    if (compareBytes(manifest, found.encoded) !== 0) return { why: 'its manifest is damaged on this disk', chunks: [] }
    await using file = await disk.open(join(folder, TAR))
    const chunks = await wrongChunks(file, found, options)
    if (chunks.length > 0) return { why: `${named(chunks)} damaged on this disk`, chunks }
    const { size } = await file.stat()
    const why = sizeProblem(size, found.manifest.size)
    return why === undefined ? undefined : { why, chunks }
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === undefined || !LOST.includes(errno)) throw error
    return { why: errno === 'ENOENT' ? 'a file of it is missing' : `the disk cannot read it (${errno})`, chunks: all }
  }
}

async function wrongChunks(
  file: OpenFile,
  { manifest }: Pick<FoundCode, 'manifest'>,
  { signal }: AbortOptions,
): Promise<number[]> {
  const wrong: number[] = []
  const buffer = new Uint8Array(CHUNK_BYTES)
  for (const [index, hash] of manifest.chunks.entries()) {
    signal?.throwIfAborted()
    const bytes = buffer.subarray(0, chunkLength(manifest, index))
    const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, index * CHUNK_BYTES)
    if (bytesRead < bytes.byteLength || compareBytes(sha256(bytes), hash) !== 0) wrong.push(index)
  }
  return wrong
}

function named(chunks: readonly number[]): string {
  return chunks.length === 1 ? `chunk ${chunks[0]} is` : `${chunks.length} chunks, the first of them ${chunks[0]}, are`
}
