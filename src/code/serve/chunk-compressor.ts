import { compressChunk } from '../archive/zstd.ts'
import { MAX_UNCOMPRESSED_RUN } from '../constants.ts'

/** The chunk as one zstd frame; undefined where it is to be sent as it is. */
export type ChunkCompressor = (chunk: Uint8Array) => Promise<Uint8Array | undefined>

/**
 * For chunks of one code, one after another. Code that does not compress is mostly so from end to end: after a chunk that
 * was not worth it, more and more of them are sent untried.
 */
export function createChunkCompressor(compress: ChunkCompressor = compressChunk): ChunkCompressor {
  let untried = 0
  let run = 0
  return async (chunk) => {
    if (untried > 0) {
      untried--
      return undefined
    }
    const small = await compress(chunk)
    run = small === undefined ? Math.min(MAX_UNCOMPRESSED_RUN, 2 * run + 1) : 0
    untried = run
    return small
  }
}
