import { type CircuitRelayTransportComponents, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { MultiaddrConnection, PeerId, Transport, Upgrader, UpgraderOptions } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { UnavailableError } from '../../base/errors.ts'
import { StreamBrokenError } from '../errors.ts'
import { parsePeerId } from '../host/address.ts'
import type { Inbound } from '../host/inbound.ts'
import { overriding } from '../host/overriding.ts'
import type { TransientBuffers } from '../host/transient-buffers.ts'
import { circuitThrough, isCircuit } from './circuit-address.ts'
import { MAX_RELAYED_STOP_STREAMS, RESERVE_TIMEOUT_MS } from './constants.ts'

/** What the library's transport and its components have and do not declare. */
type Store = {
  readonly reservations: Iterable<[PeerId, { readonly connection: string }]>
  readonly relayFilter: { remove?(bytes: Uint8Array): unknown }
  hasReservation(peer: PeerId): boolean
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>
  cancelReservations(): void
  addEventListener(type: 'relay:removed' | 'relay:created-reservation', listener: () => void): void
}
type AddressManager = { _updatePeerStoreAddresses(): void }

/** Dials through relays, and is dialled through those at which this node asked for a reservation. */
export interface RelayTransport {
  create(components: CircuitRelayTransportComponents): Transport
  /** Asks a connected relay for a reservation. */
  reserve(relay: string): Promise<void>
  /** Relays that hold one. */
  relays(): string[]
  /** Where this node is dialled through them, without its own peer id. */
  circuits(): Multiaddr[]
  /** Gives all reservations up. */
  release(): void
}

/** What a connection over a stream has and does not declare. */
type CircuitConnection = { onData(data: Uint8Array | Iterable<Uint8Array>): void }

/**
 * Noise releases what it has decrypted. Of a circuit that is a part of what the connection to the relay has decrypted, with
 * bytes of other streams before it.
 */
export function shareReads(connection: CircuitConnection, buffers: Pick<TransientBuffers, 'disown'>): void {
  const { onData } = connection
  connection.onData = (data) => {
    for (const piece of data instanceof Uint8Array ? [data] : data) buffers.disown(piece)
    onData.call(connection, data)
  }
}

export function createRelayTransport(inbound: Inbound, buffers: TransientBuffers): RelayTransport {
  const make = circuitRelayTransport({
    maxInboundStopStreams: MAX_RELAYED_STOP_STREAMS,
    reservationCompletionTimeout: RESERVE_TIMEOUT_MS,
  })
  let parts: { store: Store; components: CircuitRelayTransportComponents } | undefined

  const reserved = () => {
    if (parts === undefined) return []
    const { store, components } = parts
    return [...store.reservations].flatMap(([relay, { connection: id }]) => {
      const connection = components.connectionManager.getConnections(relay).find((one) => one.id === id)
      return connection === undefined ? [] : [{ relay: relay.toString(), address: connection.remoteAddr }]
    })
  }
  const announce = () => {
    const manager = parts?.components.addressManager as unknown as AddressManager | undefined
    manager?._updatePeerStoreAddresses()
  }

  return {
    create(components) {
      const { registrar, connectionManager, upgrader } = components
      const handle: typeof registrar.handle = (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => {
            // the library would ask any peer that opens such a stream for a reservation, and announce what it answers
            const isOwnRelay = parts?.store.hasReservation(connection.remotePeer) === true
            if (isOwnRelay && !isCircuit(connection.remoteAddr)) return handler(stream, connection)
            stream.abort(new StreamBrokenError('this node has asked for no reservation at this relay'))
          },
          options,
        )
      const getConnections: typeof connectionManager.getConnections = (peer) =>
        connectionManager.getConnections(peer).filter(({ remoteAddr }) => !isCircuit(remoteAddr))
      const own = overriding(components, {
        registrar: overriding(registrar, { handle }),
        connectionManager: overriding(connectionManager, { getConnections }),
        upgrader: overriding(upgrader, {
          upgradeInbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) => {
            shareReads(connection as unknown as CircuitConnection, buffers)
            return inbound(upgrader.upgradeInbound.bind(upgrader), connection, options)
          },
          upgradeOutbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) => {
            shareReads(connection as unknown as CircuitConnection, buffers)
            return upgrader.upgradeOutbound(connection, options as UpgraderOptions)
          },
        }),
      })
      const transport = make(own)
      const { reservationStore: store } = transport as unknown as { reservationStore: Store }
      parts = { store, components }
      store.addEventListener('relay:created-reservation', announce)
      store.addEventListener('relay:removed', announce)
      return transport
    },
    async reserve(relay) {
      if (parts === undefined) throw new UnavailableError('the node has not started')
      const peer = parsePeerId(relay)
      // the library never asks a relay again that it once failed to dial
      parts.store.relayFilter.remove?.(peer.toMultihash().bytes)
      await parts.store.addRelay(peer, 'configured')
    },
    relays: () => reserved().map(({ relay }) => relay),
    circuits: () => reserved().map(({ relay, address }) => multiaddr(circuitThrough(address, relay))),
    release() {
      parts?.store.cancelReservations()
      announce()
    },
  }
}
