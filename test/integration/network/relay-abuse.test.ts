import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import {
  HOP_PROTOCOL,
  MAX_CIRCUITS_PER_SOURCE,
  MAX_HOP_REQUEST_BYTES,
  STOP_PROTOCOL,
} from '../../../src/network/reachability/constants.ts'
import { behindRelay, circuitsOf, relaying } from './behind-relay.ts'
import { addressOf, createNetworks, type TestNetwork, until } from './fixtures.ts'

const all = createNetworks()

const ended = (stream: Pick<Stream, 'status'>) => stream.status !== 'open'

async function connectStranger(to: TestNetwork): Promise<Connection> {
  const stranger = await all.stranger({})
  return await stranger.dial(multiaddr(addressOf(to)))
}

test('a node without RELAY relays nothing', async () => {
  const node = await all.make()
  const connection = await connectStranger(node)
  await expect(connection.newStream(HOP_PROTOCOL)).rejects.toThrow(/protocol/i)
  expect(relaying(node)).toBeUndefined()
})

test('a peer that claims to be a relay is refused, and makes a node announce nothing', async () => {
  const node = await all.make({ reserveAfterMs: 0 })
  const liar = await all.stranger({ services: { identify: identify(), relay: circuitRelayServer() } })
  const connection = await liar.dial(multiaddr(addressOf(node)))
  const stream = await connection.newStream(STOP_PROTOCOL)
  await until(() => ended(stream), 'the end of the stream')
  expect(circuitsOf(node)).toEqual([])
  expect(liar.services.relay.reservations.size).toBe(0)
})

test('a peer that asks a relay for much and says nothing holds a few streams', async () => {
  const { middle } = await behindRelay(all)
  const connection = await connectStranger(middle)
  const streams: Stream[] = []
  for (let count = 0; count < 4 * MAX_CIRCUITS_PER_SOURCE; count++) {
    await connection.newStream(HOP_PROTOCOL).then(
      (stream) => streams.push(stream),
      () => {},
    )
  }
  await until(
    () => streams.filter((stream) => !ended(stream)).length <= MAX_CIRCUITS_PER_SOURCE,
    'the ends of the others',
  )
  expect(relaying(middle)).toMatchObject({ reservations: 1, circuits: 0 })
  await connection.close()
})

test('a request to a relay that has no end is not kept', async () => {
  const { middle } = await behindRelay(all)
  const connection = await connectStranger(middle)
  const stream = await connection.newStream(HOP_PROTOCOL)
  // the length of a mebibyte, and then a little of it
  stream.send(Uint8Array.of(0x80, 0x80, 0x40))
  stream.send(new Uint8Array(MAX_HOP_REQUEST_BYTES))
  await until(() => ended(stream), 'the end of the stream')
  await connection.close()
})

test('a relay that names many addresses and relays nothing: one address is announced, and a dial through it fails', async () => {
  const liar = await all.stranger({
    transports: [tcp(), circuitRelayTransport()],
    addresses: {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      appendAnnounce: Array.from({ length: 50 }, (_, index) => `/ip4/9.9.9.${index}/tcp/1`),
    },
    services: { identify: identify(), relay: circuitRelayServer() },
    connectionGater: { denyOutboundRelayedConnection: () => true },
  })
  const address = liar.getMultiaddrs().find((one) => `${one}`.startsWith('/ip4/127.'))
  const natted = await all.make({ staticNodes: [`${address}`], reserveAfterMs: 0 })
  await until(() => circuitsOf(natted).length > 0, 'a reservation at the relay')
  const [circuit = '', ...others] = circuitsOf(natted)
  expect(others).toEqual([])
  expect(circuit).toBe(`${address}/p2p-circuit/p2p/${natted.network.peerId}`)
  const third = await all.make()
  await expect(third.network.dial(circuit)).rejects.toThrow('cannot be reached')
  expect(third.network.connectedTo(natted.network.peerId)).toBe(false)
})
