import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { expect, test } from 'vitest'
import { RECEIPT_PROTOCOL } from '../../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { noise, packFiles } from '../../fixtures/code/stores.ts'
import { codePeer } from '../code/peers.ts'
import { answerWith, behindRelay, circuitsOf, MIB, RELAY, relaying } from './behind-relay.ts'
import { addressOf, createNetworks, hasListeners, until } from './fixtures.ts'

const all = createNetworks()

test('two nodes that no other has dialled gossip through a relay that forwards nothing itself', async () => {
  const { middle, natted, circuit } = await behindRelay(all)
  const other = await all.make({ staticNodes: [addressOf(middle)], reserveAfterMs: 0 })
  await until(() => circuitsOf(other).length === 1, 'a reservation at the relay')
  await other.network.dial(circuit)
  for (const node of [natted, other]) await hasListeners(node, 1)
  await natted.network.gossip.publish(Uint8Array.of(1))
  await other.network.gossip.publish(Uint8Array.of(2))
  await until(() => natted.arrivals.length + other.arrivals.length === 2, 'both announcements')
  const peersOf = other.network.peers().filter(({ peerId }) => peerId !== middle.network.peerId)
  expect(peersOf).toMatchObject([{ peerId: natted.network.peerId, relayed: true }])
  expect(relaying(middle)).toMatchObject({ reservations: 2, circuits: 1 })
})

test('receipts and archives go through the one circuit, and both ends say that it is relayed', async () => {
  const { middle, natted, circuit } = await behindRelay(all)
  const third = await all.make()
  expect(natted.network.reachability()).toMatchObject({ state: 'relayed', relays: [middle.network.peerId] })
  await third.network.dial(circuit)
  for (const protocol of [RECEIPT_PROTOCOL, ARCHIVE_PROTOCOL]) {
    await natted.network.streams.handle(protocol, answerWith(MIB))
    const stream = await third.network.streams.open(natted.network.peerId, protocol)
    await stream.write(Uint8Array.of(1))
    expect((await stream.read())?.byteLength).toBe(MIB)
    await stream.end()
  }
  expect(relaying(middle)).toMatchObject({ reservations: 1, circuits: 1 })
  expect(relaying(middle)?.bytes).toBeGreaterThan(2 * MIB)
  expect(relaying(middle)?.bytes).toBeLessThan(3 * MIB)
  const seen = (made: typeof third, peer: typeof third) =>
    made.network.peers().find(({ peerId }) => peerId === peer.network.peerId)?.relayed
  expect([seen(third, natted), seen(natted, third), seen(third, middle)]).toEqual([true, true, false])
})

test('a circuit ends after its bytes, and the next one works', async () => {
  const { natted, circuit } = await behindRelay(all, { ...RELAY, bytes: MIB })
  const third = await all.make()
  const ask = async (bytes: number) => {
    await using _ = await natted.network.streams.handle(ARCHIVE_PROTOCOL, answerWith(bytes))
    const stream = await third.network.streams.open(circuit, ARCHIVE_PROTOCOL)
    await stream.write(Uint8Array.of(1))
    return (await stream.read())?.byteLength
  }
  await expect(ask(MIB)).rejects.toThrow()
  expect(await ask(MIB / 2)).toBe(MIB / 2)
})

test('an archive that is longer than what one circuit carries comes over several, and each chunk once', async () => {
  const middle = await all.make({ relay: { ...RELAY, bytes: 3 * MIB } })
  const there = await codePeer(all, { network: { staticNodes: [addressOf(middle)], reserveAfterMs: 0 } })
  await there.network.join()
  await until(() => circuitsOf(there.made).length === 1, 'a reservation at the relay')
  const here = await codePeer(all)
  const { code } = await there.code.addTar(packFiles([{ path: 'a', content: noise(6 * MIB) }]))
  const id = await here.network.dial(circuitsOf(there.made)[0] as string)
  await here.code.fetch(code, { peers: [id] })
  expect(here.code.store.has(code)).toBe(true)
  expect(here.invalid).toEqual([])
})

test('nothing is kept of a node that has left, nor of one that comes back again and again', async () => {
  const { middle, natted } = await behindRelay(all)
  for (let time = 0; time < 5; time++) {
    middle.network.disconnect(natted.network.peerId)
    await until(() => relaying(middle)?.reservations === 0, 'the end of the reservation')
    await until(() => relaying(middle)?.reservations === 1, 'a new reservation')
  }
  await until(() => circuitsOf(natted).length === 1, 'the new address')
  expect(relaying(middle)).toMatchObject({ reservations: 1, circuits: 0 })
})

test('when the relay is cut off in the middle of a transfer, all sides say so, and go on when it is back', async () => {
  const middle = await all.make({ relay: RELAY })
  const line = await all.relayTo(middle)
  const natted = await all.make({ staticNodes: [line.address], reserveAfterMs: 0, redial: { firstMs: 20, maxMs: 50 } })
  await until(() => circuitsOf(natted).length === 1, 'a reservation at the relay')
  const third = await all.make()
  await natted.network.streams.handle(ARCHIVE_PROTOCOL, answerWith(MIB))
  const stream = await third.network.streams.open(circuitsOf(natted)[0] as string, ARCHIVE_PROTOCOL)
  await stream.write(Uint8Array.of(1))
  await stream.read()
  await line.cut()
  await expect(stream.read()).rejects.toThrow()
  await until(() => natted.network.peers().length === 0 && third.network.peers().length === 0, 'the ends of all')
  expect(natted.network.reachability()).toMatchObject({
    state: 'none',
    relays: [],
    advice: expect.stringContaining('RELAY'),
  })
  expect(circuitsOf(natted)).toEqual([])
  await until(() => relaying(middle)?.reservations === 0, 'the end of the reservation')
  await line.open()
  await until(() => circuitsOf(natted).length === 1, 'a reservation again')
  const again = await third.network.streams.open(circuitsOf(natted)[0] as string, ARCHIVE_PROTOCOL)
  await again.write(Uint8Array.of(1))
  expect((await again.read())?.byteLength).toBe(MIB)
})

test('where one of two relays goes, the node stays reachable through the other', async () => {
  const [first, second] = [await all.make({ relay: RELAY }), await all.make({ relay: RELAY })]
  const line = await all.relayTo(first)
  const natted = await all.make({ staticNodes: [line.address, addressOf(second)], reserveAfterMs: 0 })
  await until(() => circuitsOf(natted).length === 2, 'two reservations')
  await line.cut()
  await until(() => circuitsOf(natted).length === 1, 'the end of one')
  expect(natted.network.reachability()).toMatchObject({ state: 'relayed', relays: [second.network.peerId] })
  const third = await all.make()
  expect(await third.network.dial(circuitsOf(natted)[0] as string)).toBe(natted.network.peerId)
})

test('where strangers have all reservations, a node learns that it has none, and why', async () => {
  const middle = await all.make({ relay: { ...RELAY, reservations: 1 }, join: false })
  const stranger = await all.stranger({
    transports: [tcp(), circuitRelayTransport()],
    addresses: { listen: [`${addressOf(middle)}/p2p-circuit`] },
    services: { identify: identify() },
  })
  await until(() => relaying(middle)?.reservations === 1, "the stranger's reservation")
  const natted = await all.make({ staticNodes: [addressOf(middle)], reserveAfterMs: 0 })
  await until(() => /did not take it .*RESERVATION_REFUSED/.test(natted.network.reachability().because), 'a refusal')
  expect(natted.network.reachability().state).toBe('none')
  expect(relaying(middle)?.reservations).toBe(1)
  await stranger.stop()
  await until(() => relaying(middle)?.reservations === 0, 'a free reservation')
})
