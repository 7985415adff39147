import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { WORTHWHILE_SAVING, ZSTD_WINDOW_LOG } from '../constants.ts'
import { HashMismatchError } from '../errors.ts'

/** Chunks as zstd frames, each alone. */
export interface Zstd {
  /**
   * The chunk as one frame, handed to `use`; undefined where that is not worth it. The frame's memory is given back at
   * once: the collector goes through the whole heap for every few dozen of them.
   */
  compress<Used>(chunk: Uint8Array, use: (frame: Uint8Array) => Used): Promise<Used | undefined>
  /** The chunk of a frame. A frame that wants to be longer than `length`, or wants more memory, is not read on. */
  decompress(frame: Uint8Array, length: number): Promise<Uint8Array>
}

type Options = Parameters<typeof zstdCompressSync>[1]
type Convert = (bytes: Uint8Array, options: Options) => Uint8Array | Promise<Uint8Array>

const [compressBeside, decompressBeside] = [promisify(zstdCompress), promisify(zstdDecompress)]

/** Works beside the main thread. */
export function threadedZstd(): Zstd {
  return zstdWith(compressBeside, decompressBeside)
}

/** The same in the main thread, for simulations: when a thread is done is nothing that a seed decides. */
export function synchronousZstd(): Zstd {
  return zstdWith(zstdCompressSync, zstdDecompressSync)
}

function zstdWith(compress: Convert, decompress: Convert): Zstd {
  return {
    async compress(chunk, use) {
      const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG }
      const frame = await compress(chunk, { chunkSize: longestFrame(chunk.byteLength), params })
      const used = frame.byteLength <= chunk.byteLength * (1 - WORTHWHILE_SAVING) ? use(frame) : undefined
      // a short one lies in memory that others share
      if (frame.byteLength === frame.buffer.byteLength) (frame.buffer as ArrayBuffer).transfer(0)
      return used
    },
    async decompress(frame, length) {
      let chunk: Uint8Array
      try {
        chunk = await decompress(frame, unpackLimits(length))
      } catch (cause) {
        throw new HashMismatchError(`a compressed chunk is broken or unpacks to more than ${length} bytes`, { cause })
      }
      if (chunk.byteLength === length) return chunk
      throw new HashMismatchError(`a compressed chunk unpacks to ${chunk.byteLength} bytes instead of ${length}`)
    },
  }
}

/** What does not compress grows by less than this (ZSTD_COMPRESSBOUND): one piece of memory is enough. */
function longestFrame(length: number): number {
  return length + (length >>> 8) + 1024
}

/** No more than a chunk comes out, and no more memory is taken than a window of one. */
export function unpackLimits(length: number) {
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG }
  // zlib takes no buffer below 64 bytes
  return { chunkSize: Math.max(64, length), maxOutputLength: length, params }
}
