import { encode as varint } from 'uint8-varint'
import { expect, it } from 'vitest'
import { LengthPrefixedDecoder } from '../../../src/network/streams/length-prefixed-decoder.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const read = (hex: string) => new LengthPrefixedDecoder(300).add(bytes(hex))

it('a length has one spelling', () => {
  expect(read('8100aa')).toBe('a length came that is not in its shortest form')
  expect(read('80808000')).toBe('a length came that is not in its shortest form')
  expect(read('ac02')).toBeUndefined()
  expect(read('ad02')).toBe('a message of 301 bytes came; at most 300 are taken')
  expect(read('8080808080')).toMatch(/^a message of Infinity bytes/)
})

it('no message is empty', () => {
  expect(read('00')).toBe('an empty message came')
  expect(read('01aa00')).toBe('an empty message came')
})

it('what we write is what we read', () => {
  for (const length of [1, 127, 128, 300, 16_383]) {
    const reader = new LengthPrefixedDecoder(16_383)
    expect(reader.add(Uint8Array.of(...varint(length), ...new Uint8Array(length)))).toBeUndefined()
    expect(reader.take()?.byteLength).toBe(length)
  }
})
