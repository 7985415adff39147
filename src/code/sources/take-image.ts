import type { CID } from '../../../protocols/encoding.ts'
import { MAX_MANIFEST_BYTES } from '../../../protocols/limits.ts'
import { UnavailableError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { HashMismatchError, TooLargeError } from '../errors.ts'
import type { ImageStore, PartialImage } from '../images/types.ts'
import type { Arrival } from '../types.ts'

/** An image that a process downloads, on its way into the store. Dispose it: what is whole stays for the next time. */
export interface ImageIntake extends AsyncDisposable {
  /** Digests of the blobs that are here already, hex. */
  readonly have: readonly string[]
  /** Takes in what the process writes: see `downloadImage`. Answers the image's size. */
  take(stream: AsyncIterable<Uint8Array>, arrival: Arrival, maxBytes: number): Promise<number>
}

export function openImageIntake(images: ImageStore, code: CID): ImageIntake {
  let partial: PartialImage | undefined = images.resume(code)
  const missing = new Set(partial?.missing().map(({ digest }) => digest))
  return {
    have: partial?.manifest.blobs.map(({ digest }) => digest).filter((digest) => !missing.has(digest)) ?? [],
    async take(stream, arrival, maxBytes) {
      // what is left of it is not waited for
      await using input = createByteReader(stream)
      const length = new DataView((await input.whole(4)).buffer).getUint32(0)
      if (length > MAX_MANIFEST_BYTES) throw new HashMismatchError('the manifest is longer than one may be')
      const manifest = await input.whole(length)
      partial ??= await images.begin(code, manifest)
      const { size } = partial.manifest
      if (size > maxBytes) {
        throw new TooLargeError(`the image has ${formatBytes(size)}; at most ${formatBytes(maxBytes)} are allowed`)
      }
      for (const blob of partial.missing()) await partial.write(blob, input.pieces(blob.size))
      await partial.commit(arrival)
      return size
    },
    async [Symbol.asyncDispose]() {
      await partial?.[Symbol.asyncDispose]()
    },
  }
}

/** Reads a stream by lengths. Throws an UnavailableError where it ends before. */
function createByteReader(stream: AsyncIterable<Uint8Array>) {
  const source = stream[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)

  async function next(most: number): Promise<Uint8Array> {
    while (rest.byteLength === 0) {
      const { value, done } = await source.next()
      if (done === true) throw new UnavailableError('the download ended before the image did')
      rest = value
    }
    const piece = rest.subarray(0, most)
    rest = rest.subarray(piece.byteLength)
    return piece
  }

  async function* pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const piece = await next(left)
      left -= piece.byteLength
      yield piece
    }
  }

  return {
    pieces,
    async [Symbol.asyncDispose]() {
      await source.return?.()
    },
    async whole(length: number): Promise<Uint8Array<ArrayBuffer>> {
      return Uint8Array.from(Buffer.concat(await Array.fromAsync(pieces(length))))
    },
  }
}
