import { type CID, sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { type ArchiveManifest, codeId, encodeManifest } from '../../../protocols/streams/archive.ts'
import { TooLargeError } from '../errors.ts'

export type HashedChunk = { readonly index: number; readonly bytes: Uint8Array; readonly hash: Uint8Array }

/** A pipeline stage: pieces of any size in, whole chunks out; only the last may be shorter. */
export async function* splitIntoChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES)
  let filled = 0
  for await (const piece of pieces) {
    for (let offset = 0; offset < piece.byteLength; ) {
      const part = piece.subarray(offset, offset + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      filled += part.byteLength
      offset += part.byteLength
      if (filled < CHUNK_BYTES) continue
      yield chunk
      chunk = new Uint8Array(CHUNK_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled)
}

/** A pipeline stage: chunks in, chunks with their place and hash out. */
export async function* hashChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<HashedChunk> {
  let index = 0
  for await (const bytes of chunks) {
    if (index === MAX_CHUNKS) throw new TooLargeError(`the archive has more than ${MAX_CHUNKS * CHUNK_BYTES} bytes`)
    yield { index: index++, bytes, hash: sha256(bytes) }
  }
}

/** The manifest of chunks whose hashes are known, and the code's identity. */
export function createManifest(
  size: number,
  chunks: Uint8Array[],
): { code: CID; manifest: ArchiveManifest; encoded: Uint8Array } {
  const manifest: ArchiveManifest = { v: 1, size, chunkSize: CHUNK_BYTES, chunks }
  const encoded = encodeManifest(manifest)
  return { code: codeId(encoded), manifest, encoded }
}
