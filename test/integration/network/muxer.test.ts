import { identify } from '@libp2p/identify'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'vitest'
import { frames, OPENED, PING, RESET } from '../../../scripts/attack/muxer.ts'
import { createRawPeer } from '../../../scripts/attack/raw-peer.ts'
import { MAX_PINGS } from '../../../src/network/constants.ts'
import { pingService } from '../../../src/network/host/ping.ts'
import { hasLimits, limitsOf } from '../../../src/network/limits/table.ts'
import { STOP_PROTOCOL } from '../../../src/network/reachability/constants.ts'
import { test } from '../../fixtures/node/mesh.ts'
import { addressOf, connect, createNetworks, echo, refusalsOf, until } from './fixtures.ts'

const all = createNetworks()

/** Data for stream 1: as long as the header says, and no byte of it. */
function header(length: number): Uint8Array {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(1, 4)
  bytes.writeUInt32BE(length, 8)
  return bytes
}

const EMPTY_DATA = frames([{ type: 0, flags: 0 }], 100_001)

/** A peer that sends `piece` below its streams until it is cut off, so many times at most. */
async function flood(piece: (at: number) => Uint8Array, times: number) {
  const target = await all.make()
  const refused = refusalsOf(target)
  const attacker = all.stack.use(await createRawPeer())
  await attacker.connect(addressOf(target))
  const connected = () => target.network.connectedTo(attacker.peerId)
  await until(connected, 'it is connected')
  let sent = 0
  for (; sent < times && attacker.connected; sent++) await attacker.sendRaw(piece(sent)).catch(() => {})
  return { refused, sent, connected }
}

const many = (at: number) => 100_001 + 10_000 * at

test.each<[string, (at: number) => Uint8Array, string]>([
  ['pings', () => frames([PING], 0), 'too many frames that carry nothing'],
  ['data of length 0', () => EMPTY_DATA, 'too many frames that carry nothing'],
  ['streams', (at) => frames([OPENED], many(at)), 'too many streams opened'],
  ['streams that are reset at once', (at) => frames([OPENED, RESET], many(at)), 'too many streams opened'],
  ['window updates', () => frames([{ type: 1, flags: 0 }], 1), 'too many frames'],
])('%s without end cost the connection', async (_name, piece, reason) => {
  const { refused, connected } = await flood(piece, 200)
  await until(() => !connected(), 'it is cut off')
  expect(refused).toEqual([reason])
})

test('a frame that never becomes whole is held up to a mebibyte', async () => {
  const endless = (at: number) => (at === 0 ? header(0xffffffff) : new Uint8Array(64 * 1024))
  const { refused, sent, connected } = await flood(endless, 64)
  await until(() => !connected(), 'it is cut off')
  expect(refused).toEqual(['a frame is too long'])
  expect(sent).toBeGreaterThan(1)
})

test('what an honest peer sends in one go is taken', async () => {
  // some thousand pings, and a frame as long as implementations make them
  const whole = Buffer.concat([header(64 * 1024), new Uint8Array(64 * 1024)])
  const { refused, connected } = await flood((at) => (at === 0 ? frames([PING], 0) : whole), 10)
  expect(refused).toEqual([])
  expect(connected()).toBe(true)
})

test('small messages are not each answered with news of the window', async () => {
  const [server, client] = [await all.make(), await all.make()]
  const got = Promise.withResolvers<number>()
  await server.network.streams.handle('/count/1', async (stream) => {
    let count = 0
    while ((await stream.read()) !== undefined) count++
    got.resolve(count)
  })
  const way = await all.relayTo(server)
  await client.network.dial(way.address)
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
  await server.network.streams.handle('/whole/1', echo)
  const send = async () => {
    const client = await all.make()
    await connect(client, server)
    await using stream = await client.network.streams.open(server.network.peerId, '/whole/1')
    const sent = new Uint8Array(700_000).fill(7)
    for (let index = 0; index < 4; index++) {
      const writing = stream.write(sent)
      expect(Buffer.compare((await stream.read()) ?? new Uint8Array(), sent)).toBe(0)
      await writing
    }
  }
  await Promise.all([send(), send(), send()])
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
  const other = await all.stranger({ connectionMonitor: { enabled: false } })
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
  const ended = () => other.getConnections().length === 0
  await until(ended, 'the connection ends at this side, long before a ping fails', 8_000)
  expect(await open()).toBeUndefined()
})

test('pings that are still open leave capacity for the monitor of the connection, which stays', async () => {
  const start = () =>
    all.stranger({
      // a busy machine is not a peer that is gone
      connectionMonitor: { pingInterval: 100, pingTimeout: { minTimeout: 30_000, maxTimeout: 60_000 } },
      services: { ping: pingService() },
    })
  const [a, b] = [await start(), await start()]
  const connection = await a.dial(b.getMultiaddrs())
  // more than the library takes; where the other side is slow, a ping of the monitor that is over still counts there
  for (let open = 0; open < MAX_PINGS - 4; open++) await connection.newStream('/ipfs/ping/1.0.0')
  await expect.poll(() => connection.rtt).toBeGreaterThanOrEqual(0)
  await expect(a.services.ping.ping(b.peerId)).resolves.toBeGreaterThanOrEqual(0)
  expect(connection.status).toBe('open')
})

test('each protocol that a node speaks has bounds for frames, bytes and the length of a frame', async ({ mesh }) => {
  const node = await mesh.start('node')
  const asking = await all.stranger({ services: { identify: identify() } })
  const identified = new Promise<readonly string[]>((resolve) => {
    asking.addEventListener('peer:identify', ({ detail }) => resolve(detail.protocols))
  })
  await asking.dial(multiaddr(node.multiaddrs()[0]))
  const protocols = await identified
  expect(protocols.length).toBeGreaterThanOrEqual(10)
  expect(protocols.filter((protocol) => !hasLimits(protocol))).toEqual([])
  for (const protocol of protocols) {
    // carries a whole connection, whose frames and streams are counted; only a relay that this node asked may open it
    if (protocol === STOP_PROTOCOL) continue
    const { frames, bytes, maxFrameBytes } = limitsOf(protocol, 'inbound')
    expect(bytes, protocol).toBeDefined()
    // the bytes of a ping are its frames
    if (protocol.startsWith('/ipfs/ping/')) continue
    expect(frames, protocol).toBeDefined()
    expect(maxFrameBytes ?? (bytes as { burst: number }).burst, protocol).toBeLessThanOrEqual(384 * 1024)
  }
})
