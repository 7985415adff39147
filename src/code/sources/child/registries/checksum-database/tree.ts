import { createHash } from 'node:crypto'
import { UnusableSourceError } from '../../errors.ts'

/** Levels of the tree that one tile holds. */
export const TILE_HEIGHT = 8
const TILE_HASHES = 2 ** TILE_HEIGHT
const HASH_BYTES = 32
/** Above it, numbers are no longer whole. */
const MAX_SIZE = 2 ** 48

/** `width` hashes of the tree at level `8 * level`, from the one at `256 * index` on. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number }
export type ReadTile = (tile: Tile) => Promise<Uint8Array>

/**
 * The hash of a tree of `size` records (RFC 6962, section 2.1) of which number `id` is this record; all else comes from tiles,
 * a few for each level of them. It is the signed one if, and only if, the record is in the signed tree.
 */
export async function rootWith(
  { id, record, size }: { id: number; record: string; size: number },
  readTile: ReadTile,
): Promise<Buffer> {
  if (!(id >= 0 && id < size && size <= MAX_SIZE)) throw new UnusableSourceError('the record is not in its tree')
  const tiles = new Map<string, Promise<Uint8Array>>()

  async function hashAt(level: number, at: number): Promise<Buffer> {
    const index = Math.floor(at / TILE_HASHES)
    const first = index * TILE_HASHES
    const width = Math.min(TILE_HASHES, Math.floor(size / 2 ** (TILE_HEIGHT * level)) - first)
    const key = `${level}/${index}`
    const reading = tiles.get(key) ?? readTile({ level, index, width })
    tiles.set(key, reading)
    const bytes = await reading
    if (bytes.byteLength < width * HASH_BYTES) throw new UnusableSourceError('the checksum database sends half a tile')
    return Buffer.from(bytes.subarray((at - first) * HASH_BYTES, (at - first + 1) * HASH_BYTES))
  }

  /** Of a whole subtree of `2 ** height` records, the `at`-th of its kind. */
  async function hashOfSubtree(height: number, at: number): Promise<Buffer> {
    if (height % TILE_HEIGHT === 0) return await hashAt(height / TILE_HEIGHT, at)
    return nodeHash(await hashOfSubtree(height - 1, 2 * at), await hashOfSubtree(height - 1, 2 * at + 1))
  }

  async function hashOf(from: number, to: number): Promise<Buffer> {
    const count = to - from
    const height = Math.floor(Math.log2(count))
    if (!(from <= id && id < to) && count === 2 ** height) return await hashOfSubtree(height, from / count)
    if (count === 1) return leafHash(record)
    const middle = from + (count === 2 ** height ? count / 2 : 2 ** height)
    return nodeHash(await hashOf(from, middle), await hashOf(middle, to))
  }

  return await hashOf(0, size)
}

function leafHash(record: string): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(record).digest()
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest()
}
