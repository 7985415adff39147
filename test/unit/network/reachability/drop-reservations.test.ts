import { once } from 'node:events'
import { type CircuitRelayServerComponents, circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { dropReservations } from '../../../../src/network/reachability/relay-service.ts'

const PEER = peerIdFromString('12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH')
const ADDRESS = multiaddr('/ip4/9.9.9.9/tcp/4980')

/** The library's own store of reservations, at a host whose connections the test makes. */
function relay() {
  const log = Object.assign(() => {}, { error() {}, trace() {} })
  const components = { logger: { forComponent: () => log } } as unknown as CircuitRelayServerComponents
  const service = circuitRelayServer()(components)
  const { reservationStore: store } = service as unknown as {
    reservationStore: { reserve(peer: PeerId, address: Multiaddr): unknown }
  }
  const open: Connection[] = []
  let onClose: (event: { detail: Connection }) => void = () => {}
  const host = {
    getConnections: () => open,
    addEventListener: (_: string, listener: typeof onClose) => {
      onClose = listener
    },
    removeEventListener: () => {},
  }
  dropReservations(host as unknown as Parameters<typeof dropReservations>[0], service)
  let id = 0
  return {
    service,
    reserve: () => store.reserve(PEER, ADDRESS),
    connect(address = ADDRESS) {
      const connection = {
        id: `${id++}`,
        remotePeer: PEER,
        remoteAddr: address,
        status: 'open',
      } as unknown as Connection
      open.push(connection)
      return connection
    },
    close(connection: Connection) {
      open.splice(open.indexOf(connection), 1)
      onClose({ detail: connection })
    },
  }
}

test('nothing is left of a peer that reconnects a hundred times', () => {
  const { service, reserve, connect, close } = relay()
  for (let time = 0; time < 100; time++) {
    const connection = connect()
    reserve()
    expect(service.reservations.size).toBe(1)
    close(connection)
    expect(service.reservations.size).toBe(0)
  }
})

test('what ends an old reservation does not end a new one of the same peer', async () => {
  const { service, reserve, connect, close } = relay()
  const first = connect()
  reserve()
  const old = service.reservations.get(PEER)?.signal as AbortSignal
  // refreshed: the library forgets to stop the timer of a signal that was set anew
  reserve()
  const ended = once(old, 'abort')
  close(first)
  await ended
  connect()
  reserve()
  expect(service.reservations.size).toBe(1)
  expect(service.reservations.get(PEER)?.signal.aborted).toBe(false)
})

test('a reservation stays while a direct connection does; one through another relay does not count', () => {
  const { service, reserve, connect, close } = relay()
  const [first, second] = [connect(), connect()]
  connect(multiaddr(`/ip4/8.8.8.8/tcp/1/p2p/${PEER}/p2p-circuit`))
  reserve()
  close(first)
  expect(service.reservations.size).toBe(1)
  close(second)
  expect(service.reservations.size).toBe(0)
})
