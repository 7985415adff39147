import { pipeline, Readable } from 'node:stream'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { messageOf } from '../../../../base/errors.ts'
import { UnusableSourceError } from '../errors.ts'

/** Memory that a frame of zstd may ask for: what `zstd -19` makes, and no `--long`. */
const ZSTD_WINDOW_LOG = 23

/** The longest mark that an archive begins with. */
export const MARK_BYTES = 4

/** By its first bytes: names and content types of servers say little. */
export type ArchiveKind = 'gzip' | 'zstd' | 'zip' | 'tar'

export function archiveKind(head: Uint8Array): ArchiveKind {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte)
  if (starts(0x1f, 0x8b)) return 'gzip'
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (starts(0x50, 0x4b, 3, 4) || starts(0x50, 0x4b, 5, 6)) return 'zip'
  return 'tar'
}

/** The first piece of a stream, of at least `length` bytes if it has so many, and all of it. */
export async function peek(
  pieces: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = pieces[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  while (head.byteLength < length) {
    const next = await iterator.next()
    if (next.done === true) break
    head = Buffer.concat([head, next.value])
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    if (head.byteLength > 0) yield head
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  return { head, all: all() }
}

export async function* decompressed(
  kind: 'gzip' | 'zstd',
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG }
  const unpack = kind === 'gzip' ? createGunzip() : createZstdDecompress({ params })
  let source: unknown
  async function* watched() {
    try {
      yield* pieces
    } catch (error) {
      source = error
      throw error
    }
  }
  const plain = pipeline(Readable.from(watched()), unpack, () => {})
  try {
    for await (const piece of plain as AsyncIterable<Uint8Array>) yield piece
  } catch (cause) {
    if (source !== undefined) throw source
    throw new UnusableSourceError(`the archive is not ${kind} that can be read (${messageOf(cause)})`, { cause })
  }
}
