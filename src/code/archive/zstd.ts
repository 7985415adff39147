import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { WORTHWHILE_SAVING, ZSTD_WINDOW_LOG } from '../constants.ts'
import { HashMismatchError } from '../errors.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The chunk as one zstd frame; undefined where that is not worth it. Runs beside the main thread. */
export async function compressChunk(chunk: Uint8Array): Promise<Uint8Array | undefined> {
  const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG }
  const small = await compress(chunk, { chunkSize: chunk.byteLength, params })
  return small.byteLength <= chunk.byteLength * (1 - WORTHWHILE_SAVING) ? small : undefined
}

/** No more than a chunk comes out, and no more memory is taken than a window of one. */
export function unpackLimits(length: number) {
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG }
  // zlib takes no buffer below 64 bytes
  return { chunkSize: Math.max(64, length), maxOutputLength: length, params }
}

/** The chunk of a zstd frame. A frame that wants to be longer than `length`, or wants more memory, is not read on. */
export async function decompressChunk(frame: Uint8Array, length: number): Promise<Uint8Array> {
  let chunk: Uint8Array
  try {
    chunk = await decompress(frame, unpackLimits(length))
  } catch (cause) {
    throw new HashMismatchError(`a compressed chunk is broken or unpacks to more than ${length} bytes`, { cause })
  }
  if (chunk.byteLength === length) return chunk
  throw new HashMismatchError(`a compressed chunk unpacks to ${chunk.byteLength} bytes instead of ${length}`)
}
