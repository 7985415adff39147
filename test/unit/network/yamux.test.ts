import { randomBytes } from 'node:crypto'
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test } from 'vitest'
import { createTransientBuffers } from '../../../src/network/host/transient-buffers.ts'
import { createYamux } from '../../../src/network/host/yamux.ts'

type Case = readonly [how: string, status: string, end: (connection: MultiaddrConnection) => void]
const CASES: readonly Case[] = [
  ['breaks off', 'closed', (connection) => connection.abort(new Error('it is over'))],
  ['is closed', 'aborted', (connection) => void connection.close().catch(() => {})],
]

test.for(CASES)(
  'a stream is no more when its connection %s while it is opened, and the process lives',
  async ([, status, end]) => {
    const [connection] = multiaddrConnectionPair()
    const muxer = createYamux({ enableKeepAlive: false }, createTransientBuffers())().createStreamMuxer(connection)
    const opening = muxer.createStream()
    end(connection)
    expect((await opening).status).toBe(status)
  },
)

const HEADER_BYTES = 12
const SYN = 1

/** A frame with data, which opens the stream of this id unless it has other flags. */
function frame(stream: number, bytes: Uint8Array, flags = SYN): Uint8Array {
  const all = new Uint8Array(HEADER_BYTES + bytes.byteLength)
  const view = new DataView(all.buffer)
  view.setUint16(2, flags)
  view.setUint32(4, stream)
  view.setUint32(8, bytes.byteLength)
  all.set(bytes, HEADER_BYTES)
  return all
}

/** What reads these bytes as they were decrypted: in buffers of 40,000 bytes. */
function reading(bytes: Uint8Array) {
  const buffers = createTransientBuffers()
  const [connection] = multiaddrConnectionPair()
  const muxer = createYamux({ enableKeepAlive: false }, buffers)().createStreamMuxer(connection)
  const inner = muxer as unknown as {
    onData(bytes: Uint8ArrayList): void
    streams: { readBuffer: Uint8ArrayList }[]
  }
  const decrypted: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += 40_000) {
    const piece = Uint8Array.from(bytes.subarray(at, at + 40_000))
    buffers.own(piece)
    decrypted.push(piece)
    inner.onData(new Uint8ArrayList(piece))
  }
  return { lengths: decrypted.map(({ byteLength }) => byteLength), streams: inner.streams }
}

const [first, second] = [randomBytes(50_000), randomBytes(30_000)]

test('memory that frames share is given back once the frame at its end has come, and the frames stay as they were', () => {
  const { lengths, streams } = reading(Buffer.concat([frame(2, first), frame(4, second)]))
  // the second piece has parts of both frames, and the third the end of the last
  expect(lengths).toEqual([0, 0, 24])
  expect(streams.map(({ readBuffer }) => Buffer.from(readBuffer.subarray()))).toEqual([first, second])
})

test('memory that ends in the middle of a frame stays until the rest has come', () => {
  const { lengths, streams } = reading(Buffer.concat([frame(2, first), frame(4, second).subarray(0, 25_000)]))
  expect(lengths).toEqual([0, 35_012])
  expect(streams.map(({ readBuffer }) => Buffer.from(readBuffer.subarray()))).toEqual([first])
})

test('small frames get no memory each of its own, and keep none of what was decrypted', () => {
  const bytes = Array.from({ length: 3000 }, (_, at) => Uint8Array.of(at))
  const { lengths, streams } = reading(Buffer.concat(bytes.map((each, at) => frame(2, each, at === 0 ? SYN : 0))))
  expect(lengths).toEqual([0])
  const [{ readBuffer } = { readBuffer: new Uint8ArrayList() }] = streams
  expect(Buffer.from(readBuffer.subarray())).toEqual(Buffer.concat(bytes))
  const memory = new Set(Array.from(readBuffer, ({ buffer }) => buffer))
  expect(memory.size).toBeLessThan(30)
})
