import { encode } from '@ipld/dag-cbor'
import { describe, expect, test } from 'vitest'
import { chunkAnswer, decodeArchiveAnswer, encodeArchiveAnswer } from '../../../protocols/streams/archive.ts'
import { noise } from '../../fixtures/code/stores.ts'

describe('the frame of a chunk', () => {
  test.each([0, 1, 23, 24, 255, 256, 65_535, 65_536, 65_537, 1024 * 1024])(
    'of %i bytes is plain dag-cbor',
    (length) => {
      for (const is of ['bytes', 'zstd'] as const) {
        const answer = { is, bytes: noise(length) }
        const encoded = encodeArchiveAnswer(answer)
        expect(Buffer.compare(encoded, encode(answer))).toBe(0)
        const { frame, bytes } = chunkAnswer(length)
        bytes.set(answer.bytes)
        expect(Buffer.compare(frame, encode({ ...answer, is: 'bytes' }))).toBe(0)
        const decoded = decodeArchiveAnswer(encoded)
        expect(decoded.is).toBe(is)
        expect(decoded.is !== 'error' && Buffer.compare(decoded.bytes, answer.bytes)).toBe(0)
      }
    },
  )

  test('any other spelling is refused', () => {
    const good = encodeArchiveAnswer({ is: 'bytes', bytes: noise(70_000) })
    for (let at = 0; at < 20; at++) {
      for (const bit of [1, 2, 16, 128]) {
        const bad = Uint8Array.from(good)
        bad[at] = (bad[at] as number) ^ bit
        expect(() => decodeArchiveAnswer(bad), `bit ${bit} of byte ${at}`).toThrow()
      }
    }
    expect(() => decodeArchiveAnswer(good.subarray(0, -1))).toThrow()
    expect(() => decodeArchiveAnswer(Buffer.concat([good, Buffer.of(0)]))).toThrow()
  })
})
