import type { Zstd } from '../archive/zstd.ts'
import { MAX_UNCOMPRESSED_RUN } from '../constants.ts'

/** Hands the chunk as one zstd frame to `use`, for as long as the call; undefined where it is to be sent as it is. */
export type ChunkCompressor = Zstd['compress']

/**
 * For chunks of one code, one after another. Code that does not compress is mostly so from end to end: after a chunk that
 * was not worth it, more and more of them are sent untried.
 */
export function createChunkCompressor(compress: ChunkCompressor): ChunkCompressor {
  let untried = 0
  let run = 0
  return async (chunk, use) => {
    if (untried > 0) {
      untried--
      return undefined
    }
    const used = await compress(chunk, use)
    run = used === undefined ? Math.min(MAX_UNCOMPRESSED_RUN, 2 * run + 1) : 0
    untried = run
    return used
  }
}
