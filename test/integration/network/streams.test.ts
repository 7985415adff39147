import { expect, test } from 'vitest'
import type { MessageStream } from '../../../src/base/stream.ts'
import { StreamBrokenError } from '../../../src/network/errors.ts'
import type { HandleOptions } from '../../../src/network/index.ts'
import { addressOf, connect, createNetworks, echo, messages, newKey, staysConstant } from './fixtures.ts'

const MIB = 1024 * 1024

const all = createNetworks()

async function pair(handler: (stream: MessageStream) => Promise<void>, options: HandleOptions = {}) {
  const client = await all.make()
  const server = await all.make()
  await server.network.streams.handle('/test/1', handler, options)
  await connect(client, server)
  return { client, server, open: () => client.network.streams.open(server.network.peerId, '/test/1') }
}

test('messages of every size come back whole and in order, and the end with them', async () => {
  const { open, client } = await pair(echo)
  await using stream = await open()
  expect(stream.peer).not.toBe(client.network.peerId)
  const sizes = [1, 127, 128, 16_383, 16_384, 65_535, 65_536, 300_000, MIB]
  const sent = sizes.map((size, index) => new Uint8Array(size).fill(index))
  const writing = (async () => {
    for (const message of sent) await stream.write(message)
    await stream.end()
  })()
  for (const message of sent) expect(Buffer.compare((await stream.read()) ?? new Uint8Array(), message)).toBe(0)
  expect(await stream.read()).toBeUndefined()
  await writing
})

test('one side ends, the other goes on', async () => {
  const { open } = await pair(async (stream) => {
    const asked = await Array.fromAsync(messages(stream))
    for (const index of asked.keys()) await stream.write(Uint8Array.of(index))
  })
  await using stream = await open()
  for (let index = 0; index < 3; index++) await stream.write(new Uint8Array(10))
  await stream.end()
  expect(await Array.fromAsync(messages(stream))).toEqual([0, 1, 2].map((index) => Uint8Array.of(index)))
})

test('a reader that does not read holds the writer, and then gets everything', async () => {
  let written = 0
  const { open } = await pair(async (stream) => {
    for (; written < 64; written++) await stream.write(new Uint8Array(MIB).fill(written))
  })
  await using stream = await open()
  await staysConstant(() => written, 'the writer waits')
  // what a window, the reader's own buffer and the sockets hold; nothing near 64 MiB
  expect(written).toBeLessThan(24)
  for (let index = 0; index < 64; index++) {
    const message = await stream.read()
    expect(message?.byteLength).toBe(MIB)
    expect(message?.[MIB - 1]).toBe(index)
    // slow at first, so that the buffers fill again and again
    if (index < 8) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(await stream.read()).toBeUndefined()
})

test.each([100, 70_000, 600_000, MIB])('requests of %i bytes, three outstanding, never stall', async (size) => {
  const { open } = await pair(echo)
  await using stream = await open()
  const message = new Uint8Array(size).fill(1)
  const count = Math.min(200, Math.ceil((32 * MIB) / size))
  for (let index = 0; index < 3; index++) await stream.write(message)
  for (let index = 0; index < count; index++) {
    expect((await stream.read())?.byteLength).toBe(size)
    await stream.write(message)
  }
})

test('an abort is seen by the other side as a failure, never as an end', async () => {
  const seen = Promise.withResolvers<unknown>()
  const { open } = await pair(async (stream) => {
    await Array.fromAsync(messages(stream)).then(() => seen.resolve('clean end'), seen.resolve)
  })
  const stream = await open()
  await stream.write(new Uint8Array(10))
  stream.abort(new Error('enough'))
  expect(await seen.promise).toBeInstanceOf(StreamBrokenError)
  await expect(stream.read()).rejects.toThrow('enough')
  await expect(stream.write(new Uint8Array(1))).rejects.toThrow('enough')
})

test('a peer that vanishes is a failure, never an end', async () => {
  const { open, server } = await pair(async (stream) => {
    await stream.write(Uint8Array.of(1))
    await new Promise(() => {})
  })
  await using stream = await open()
  expect(await stream.read()).toEqual(Uint8Array.of(1))
  const reading = stream.read()
  reading.catch(() => {})
  await server.network[Symbol.asyncDispose]()
  await expect(reading).rejects.toBeInstanceOf(StreamBrokenError)
})

test('a message longer than the reader takes resets the stream', async () => {
  const seen = Promise.withResolvers<unknown>()
  const { open } = await pair(async (stream) => void (await stream.read().catch(seen.resolve)), {
    maxMessageBytes: 1000,
  })
  await using stream = await open()
  await stream.write(new Uint8Array(1001)).catch(() => {})
  expect(String(await seen.promise)).toMatch(/1001 bytes came; at most 1000/)
  await expect(stream.read()).rejects.toBeInstanceOf(StreamBrokenError)
})

test('a handler that throws resets its stream and harms nothing else', async () => {
  let calls = 0
  const { open } = await pair(async (stream) => {
    if (calls++ === 0) throw new Error('broken')
    await echo(stream)
  })
  await using first = await open()
  await expect(first.read()).rejects.toBeInstanceOf(StreamBrokenError)
  await using second = await open()
  await second.write(Uint8Array.of(7))
  expect(await second.read()).toEqual(Uint8Array.of(7))
})

test('a signal ends the wait and leaves the stream alone', async () => {
  const { open } = await pair(echo)
  await using stream = await open()
  const controller = new AbortController()
  const reading = stream.read({ signal: controller.signal })
  controller.abort(new Error('no time'))
  await expect(reading).rejects.toThrow('no time')
  await stream.write(Uint8Array.of(1))
  expect(await stream.read()).toEqual(Uint8Array.of(1))
})

test('a peer gets no more streams than its share', async () => {
  const refused: string[] = []
  const { open, server } = await pair(echo, { maxInbound: 2 })
  server.events.on('network:refused', ({ reason }) => refused.push(reason))
  const streams = [await open(), await open()]
  for (const stream of streams) {
    await stream.write(Uint8Array.of(1))
    expect(await stream.read()).toEqual(Uint8Array.of(1))
  }
  await using third = await open()
  await expect(third.read()).rejects.toBeInstanceOf(StreamBrokenError)
  expect(refused).toEqual(['too many streams of this peer'])
  for (const stream of streams) {
    await stream.end()
    expect(await stream.read()).toBeUndefined()
  }
  await using again = await open()
  await again.write(Uint8Array.of(2))
  expect(await again.read()).toEqual(Uint8Array.of(2))
})

test('a silent peer does not hold a stream for ever', async () => {
  const { open } = await pair(echo, { idleMs: 100 })
  await using stream = await open()
  await stream.write(Uint8Array.of(1))
  await stream.read()
  await expect(stream.read()).rejects.toBeInstanceOf(StreamBrokenError)
})

test('what cannot be opened says which kind of trouble it is', async () => {
  const { client, server } = await pair(echo)
  const { streams } = client.network
  await expect(streams.open(server.network.peerId, '/nobody/1')).rejects.toMatchObject({
    name: 'ProtocolUnsupportedError',
  })
  const gone = await all.make()
  const address = addressOf(gone)
  await gone.network[Symbol.asyncDispose]()
  await expect(streams.open(address, '/test/1')).rejects.toMatchObject({ name: 'PeerUnavailableError' })
  await expect(streams.open('nonsense', '/test/1')).rejects.toMatchObject({ name: 'InputError' })
  await expect(streams.open('/ip4/127.0.0.1/tcp/1', '/test/1')).rejects.toThrow('must end in /p2p/')
  const stranger = await all.make({ identity: newKey() })
  await using stream = await stranger.network.streams.open(addressOf(server), '/test/1')
  await stream.write(Uint8Array.of(3))
  expect(await stream.read()).toEqual(Uint8Array.of(3))
})

test('many streams of one connection at once, with messages of all sizes, mix nothing up', async () => {
  const { open } = await pair(echo)
  const sizes = [1, 1200, 5000, 65_500, 65_536, 200_000, 700_000, MIB]
  const talk = async (seed: number) => {
    await using stream = await open()
    for (let round = 0; round < 12; round++) {
      const bytes = new Uint8Array(sizes[(seed * 3 + round * 5) % sizes.length] as number)
      for (let at = 0; at < bytes.byteLength; at++) bytes[at] = (at * 31 + seed * 7 + round) & 0xff
      const expected = bytes.slice()
      const writing = stream.write(bytes)
      const answer = await stream.read()
      await writing
      expect(Buffer.compare(answer ?? new Uint8Array(), expected)).toBe(0)
    }
    await stream.end()
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(talk))
})
