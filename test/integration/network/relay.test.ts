import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { RECEIPT_PROTOCOL } from '../../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { STOP_PROTOCOL } from '../../../src/network/reach/constants.ts'
import type { RelayInit } from '../../../src/network/reach/types.ts'
import { addressOf, createNetworks, echo, hasListeners, until } from './fixtures.ts'

const MIB = 1024 * 1024
const RELAY: RelayInit = { reservations: 2, bytes: 64 * MIB, seconds: 600, rate: 64 * MIB }

const all = createNetworks()

const circuitsOf = ({ network }: { network: { multiaddrs(): string[] } }) =>
  network.multiaddrs().filter((address) => address.includes('/p2p-circuit'))

/** A relay, and a node that no other has dialled, with a place there. (127.0.0.1 is not outside.) */
async function behindRelay(relay: RelayInit = RELAY) {
  const middle = await all.make({ relay })
  const natted = await all.make({ staticNodes: [addressOf(middle)], reserveAfterMs: 0 })
  await until(() => circuitsOf(natted).length === 1, 'a place at the relay')
  return { middle, natted, circuit: circuitsOf(natted)[0] as string }
}

test('gossip, receipts and archives reach a node through a relay, and both sides say that it is relayed', async () => {
  const { middle, natted, circuit } = await behindRelay()
  const third = await all.make()
  await natted.network.streams.handle(RECEIPT_PROTOCOL, echo)
  await natted.network.streams.handle(ARCHIVE_PROTOCOL, echo)
  expect(natted.network.reach()).toMatchObject({ state: 'relayed', relays: [middle.network.peerId] })
  await third.network.dial(circuit)
  expect(third.network.peers()).toMatchObject([{ peerId: natted.network.peerId, relayed: true }])
  expect(middle.network.reach().relaying).toEqual({ reservations: 1, circuits: 1 })
  for (const protocol of [RECEIPT_PROTOCOL, ARCHIVE_PROTOCOL]) {
    const stream = await third.network.streams.open(natted.network.peerId, protocol)
    const sent = new Uint8Array(MIB).fill(7)
    await stream.write(sent)
    expect(await stream.read()).toEqual(sent)
    await stream.end()
  }
  // what the two exchanged went through one circuit, and the relay was not dialled again
  expect(middle.network.reach().relaying?.circuits).toBe(1)
  await hasListeners(third, 2)
  await third.network.gossip.publish(Uint8Array.of(1))
  await until(() => natted.arrivals.length === 1, 'the announcement')
})

test('a circuit ends after its bytes, and the next one works', async () => {
  const { natted, circuit } = await behindRelay({ ...RELAY, bytes: MIB })
  const third = await all.make()
  await natted.network.streams.handle(ARCHIVE_PROTOCOL, echo)
  const ask = async (bytes: number) => {
    const stream = await third.network.streams.open(circuit, ARCHIVE_PROTOCOL)
    await stream.write(new Uint8Array(bytes))
    return (await stream.read())?.byteLength
  }
  await expect(ask(MIB)).rejects.toThrow()
  expect(await ask(MIB / 16)).toBe(MIB / 16)
})

test('nothing is kept of a node that has left, nor of one that comes back again and again', async () => {
  const { middle, natted } = await behindRelay()
  for (let time = 0; time < 5; time++) {
    middle.network.disconnect(natted.network.peerId)
    await until(() => middle.network.reach().relaying?.reservations === 0, 'the end of the reservation')
    await until(() => circuitsOf(natted).length === 1, 'a new place')
  }
  expect(middle.network.reach().relaying).toEqual({ reservations: 1, circuits: 0 })
})

test('a peer that claims to be a relay is refused, and makes a node announce nothing', async () => {
  const node = await all.make({ reserveAfterMs: 0 })
  const liar = await all.stranger({})
  const connection = await liar.dial(multiaddr(addressOf(node)))
  const stream = await connection.newStream(STOP_PROTOCOL)
  await until(() => stream.status !== 'open', 'the end of the stream')
  expect(circuitsOf(node)).toEqual([])
})
