import { randomBytes } from 'node:crypto'
import { defaultCrypto } from '@libp2p/noise/crypto'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test } from 'vitest'
import { createNoiseCrypto } from '../../../src/network/host/noise-crypto.ts'
import { createTransientBuffers } from '../../../src/network/host/transient-buffers.ts'
import { forAll } from '../../fixtures/property.ts'

const [key, nonce, ad] = [randomBytes(32), randomBytes(12), new Uint8Array()]
const TAG_BYTES = 16
const READ_BYTES = 65_536

/** As a socket reads it: each read in a buffer of its own, shared with nothing else. */
function asRead(bytes: Uint8Array, lengths: readonly number[], buffers = createTransientBuffers()): Uint8Array[] {
  const reads: Uint8Array[] = []
  for (let at = 0, index = 0; at < bytes.byteLength; index++) {
    const piece = bytes.subarray(at, at + (lengths[index % lengths.length] as number))
    // the system fills a buffer of this size as far as it has bytes
    const read = new Uint8Array(READ_BYTES).subarray(0, piece.byteLength)
    read.set(piece)
    buffers.ownRead(read)
    reads.push(read)
    at += read.byteLength
  }
  return reads
}

const encrypt = (plaintext: Uint8Array): Uint8Array =>
  defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).slice()

/** What opens frames, in the place of their ciphertext, and the memory that it reads from. */
function opening() {
  const buffers = createTransientBuffers()
  const crypto = createNoiseCrypto(buffers)
  const open = (frame: Uint8ArrayList, length = frame.byteLength - TAG_BYTES) =>
    crypto.chaCha20Poly1305Decrypt(frame, nonce, ad, key, frame.subarray(0, length))
  return { buffers, open, read: (bytes: Uint8Array, lengths: readonly number[]) => asRead(bytes, lengths, buffers) }
}

test('what one side encrypts the library decrypts, and the other way round, however it is cut', () => {
  const crypto = createNoiseCrypto(createTransientBuffers())
  const pieces = fc.array(fc.integer({ min: 100, max: 40_000 }), { minLength: 1, maxLength: 5 })
  forAll(200, [fc.integer({ min: 0, max: 65_519 }), pieces, fc.boolean()], (length, lengths, isList) => {
    const plaintext = randomBytes(length)
    const cut = isList ? new Uint8ArrayList(...asRead(plaintext, lengths)) : plaintext
    const encrypted = crypto.chaCha20Poly1305Encrypt(cut, nonce, ad, key).slice()
    expect(Buffer.compare(encrypted, encrypt(plaintext))).toBe(0)
    const list = new Uint8ArrayList(...asRead(encrypted, lengths))
    const dst = list.subarray(0, length)
    const opened = crypto.chaCha20Poly1305Decrypt(isList ? list : encrypted, nonce, ad, key, dst).slice()
    expect(Buffer.compare(opened, plaintext)).toBe(0)
  })
})

test('frames of every length in reads of every length come out as they went in', () => {
  const { open, read } = opening()
  const frames = fc.array(fc.integer({ min: 0, max: 65_519 }), { minLength: 1, maxLength: 8 })
  const lengths = fc.array(fc.integer({ min: 100, max: READ_BYTES }), { minLength: 1, maxLength: 8 })
  forAll(100, [frames, lengths], (sizes, cuts) => {
    const plaintexts = sizes.map((size) => randomBytes(size))
    const encrypted = plaintexts.map(encrypt)
    const list = new Uint8ArrayList(...read(Buffer.concat(encrypted), cuts))
    const opened = encrypted.map(({ byteLength }) => {
      const frame = list.sublist(0, byteLength)
      list.consume(byteLength)
      return open(frame)
    })
    // all of them, after everything was opened: nothing that was handed out lay in what was given back
    for (const [index, bytes] of opened.entries())
      expect(Buffer.compare(bytes.slice(), plaintexts[index] as Uint8Array)).toBe(0)
  })
})

test('a read is given back when the frame that reached its end is opened, and not before', () => {
  const { open, read } = opening()
  const reads = read(Buffer.concat([randomBytes(40_000), randomBytes(40_000)].map(encrypt)), [READ_BYTES])
  const list = new Uint8ArrayList(...reads)
  for (const [from, left] of [
    [0, [READ_BYTES, 80_032 - READ_BYTES]],
    [40_016, [0, 0]],
  ] as const) {
    open(list.sublist(from, from + 40_016))
    expect(reads.map(({ byteLength }) => byteLength)).toEqual(left)
  }
})

test('a forged frame throws, and gives nothing back', () => {
  const { open, read } = opening()
  const forged = encrypt(randomBytes(60_000))
  forged[100] = (forged[100] as number) ^ 1
  const reads = read(forged, [40_000])
  expect(() => open(new Uint8ArrayList(...reads))).toThrow()
  expect(reads.map(({ byteLength }) => byteLength)).toEqual([40_000, 20_016])
})

test('a short plaintext does not hold on to what was read with it', () => {
  const read = new Uint8Array(READ_BYTES)
  const encrypted = encrypt(new Uint8Array(100).fill(7))
  read.set(encrypted, 1000)
  const frame = new Uint8ArrayList(read.subarray(1000, 1000 + encrypted.byteLength))
  const opened = opening().open(frame).subarray()
  expect(opened).toEqual(new Uint8Array(100).fill(7))
  expect(opened.buffer).not.toBe(read.buffer)
})

test('only memory that is owned as a whole is given back', () => {
  const buffers = createTransientBuffers()
  const [owned, foreign, part] = [new Uint8Array(READ_BYTES), new Uint8Array(READ_BYTES), new Uint8Array(READ_BYTES)]
  buffers.own(owned)
  buffers.own(part.subarray(0, 50_000))
  for (const view of [owned.subarray(5), foreign, part]) buffers.release(view)
  expect([owned, foreign, part].map(({ byteLength }) => byteLength)).toEqual([0, READ_BYTES, READ_BYTES])
})
