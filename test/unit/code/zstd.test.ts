import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { synchronousZstd, threadedZstd } from '../../../src/code/archive/zstd.ts'
import { HashMismatchError } from '../../../src/code/errors.ts'

const text = Buffer.from('the same words, the same words, the same words. '.repeat(2000))
const beside = threadedZstd()
/** It is lent for as long as the call. */
const copied = (frame: Uint8Array) => Uint8Array.from(frame)

test.each([
  ['beside the main thread', beside],
  ['in it', synchronousZstd()],
])('a chunk comes back, and what is not worth it is left as it is: %s', async (_where, zstd) => {
  const frame = await zstd.compress(text, copied)
  expect(frame?.byteLength).toBeLessThan(text.byteLength / 10)
  expect(Buffer.from(await beside.decompress(frame as Uint8Array, text.byteLength)).equals(text)).toBe(true)
  expect(Buffer.from(await zstd.decompress(frame as Uint8Array, text.byteLength)).equals(text)).toBe(true)
  expect(await zstd.compress(randomBytes(10_000), copied)).toBeUndefined()
})

test.each([
  ['beside the main thread', beside],
  ['in it', synchronousZstd()],
])('a frame that is broken, longer or shorter than it should be is refused: %s', async (_where, zstd) => {
  const frame = (await beside.compress(text, copied)) as Uint8Array
  for (const [bytes, length] of [
    [frame.subarray(0, 20), text.byteLength],
    [frame, text.byteLength - 1],
    [frame, text.byteLength + 1],
  ] as const) {
    await expect(zstd.decompress(bytes, length)).rejects.toThrow(HashMismatchError)
  }
})
