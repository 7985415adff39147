import { once } from 'node:events'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { addressOf, echo, networks, until } from './make.ts'

const all = networks()

/** A way to `port` that counts what comes back on it. */
async function openWay(port: number) {
  const way = { port: 0, back: 0 }
  const server = createServer((near) => {
    const far = connectTo(port, '127.0.0.1')
    near.pipe(far)
    far.on('data', (data: Buffer) => {
      way.back += data.byteLength
    })
    far.pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    all.stack.defer(() => void near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  all.stack.defer(() => void server.close())
  way.port = (server.address() as AddressInfo).port
  return way
}

test('small messages are not each answered with news of the window', async () => {
  const [server, client] = [await all.make(), await all.make()]
  const got = Promise.withResolvers<number>()
  await server.network.streams.handle('/count/1', async (stream) => {
    let count = 0
    while ((await stream.read()) !== undefined) count++
    got.resolve(count)
  })
  const port = /\/tcp\/(\d+)/.exec(addressOf(server))?.[1]
  const way = await openWay(Number(port))
  await client.network.dial(addressOf(server).replace(`/tcp/${port}`, `/tcp/${way.port}`))
  await using stream = await client.network.streams.open(server.network.peerId, '/count/1')
  const before = way.back
  for (let index = 0; index < 1000; index++) {
    await stream.write(new Uint8Array(100))
    // each in a frame of its own
    await new Promise(setImmediate)
  }
  await stream.end()
  expect(await got.promise).toBe(1000)
  // a window update is 30 bytes as it goes out
  expect(way.back - before).toBeLessThan(1000 * 10)
})

test('streams that are opened as soon as there is a connection come through', async () => {
  const server = await all.make()
  const clients = await Promise.all([all.make(), all.make(), all.make()])
  await server.network.streams.handle('/whole/1', echo)
  await Promise.all(
    clients.map(async ({ network }) => {
      await network.dial(addressOf(server))
      await using stream = await network.streams.open(server.network.peerId, '/whole/1')
      const sent = new Uint8Array(700_000).fill(7)
      for (let index = 0; index < 4; index++) {
        const writing = stream.write(sent)
        expect(Buffer.compare((await stream.read()) ?? new Uint8Array(), sent)).toBe(0)
        await writing
      }
    }),
  )
})

test('very many streams that are opened at once on a fresh connection come through', async () => {
  const [server, client] = [await all.make(), await all.make()]
  await server.network.streams.handle('/many/1', echo, { maxInbound: 64 })
  const ask = async (index: number) => {
    await using stream = await client.network.streams.open(addressOf(server), '/many/1')
    await stream.write(Uint8Array.of(index))
    await stream.end()
    return (await stream.read())?.[0]
  }
  const indexes = Array.from({ length: 40 }, (_, index) => index)
  expect(await Promise.all(indexes.map(ask))).toEqual(indexes)
})

test('a connection whose multiplexer has ended is not used again', async () => {
  const client = await all.make()
  const other = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  all.stack.defer(async () => other.stop())
  await other.handle('/one/1', (stream) => void stream.close())
  const address = String(other.getMultiaddrs()[0])
  const open = async () => {
    await using stream = await client.network.streams.open(address, '/one/1')
    return await stream.read()
  }
  expect(await open()).toBeUndefined()
  // what the library does when a peer opens too many streams early: the multiplexer ends, and the connection stays
  const [connection] = other.getConnections()
  const { muxer } = connection as unknown as { muxer: { onData(bytes: unknown): void; abort(error: Error): void } }
  muxer.onData = () => {}
  muxer.abort(new Error('over'))
  await until(
    () => other.getConnections().length === 0,
    'the connection ends at this side, long before a ping fails',
    8_000,
  )
  expect(await open()).toBeUndefined()
})
