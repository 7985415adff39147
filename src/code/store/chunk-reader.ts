import { compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import type { Disk } from '../../base/os/disk.ts'
import { HashMismatchError } from '../errors.ts'
import type { ChunkReader } from '../types.ts'
import type { FoundCode } from './store-layout.ts'

/** Which chunks are known to be right: those of a partial code, and those hashed since this process began. */
type Known = Pick<Set<number>, 'has'> & { add?: (index: number) => unknown }

/**
 * Hashes a chunk the first time that it is read in this process: a node whose disk lost a bit must not be taken for a
 * misbehaving peer by the peers that it serves.
 */
export async function openChunkReader(
  disk: Pick<Disk, 'open'>,
  path: string,
  { manifest, encoded }: FoundCode,
  known: Known,
  onDamaged: (why: string) => Promise<void>,
): Promise<ChunkReader> {
  const file = await disk.open(path)
  return {
    manifest,
    encoded,
    async read(index, bytes) {
      if (index >= manifest.chunks.length) return false
      const isKnown = known.has(index)
      if (!isKnown && known.add === undefined) return false
      const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, index * CHUNK_BYTES)
      const isRight = isKnown || compareBytes(sha256(bytes), manifest.chunks[index] as Uint8Array) === 0
      if (bytesRead === bytes.byteLength && isRight) {
        known.add?.(index)
        return true
      }
      const why = `chunk ${index} is damaged on this disk`
      await onDamaged(why)
      throw new HashMismatchError(why)
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
