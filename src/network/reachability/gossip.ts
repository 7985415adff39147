import type { Multiaddr } from '@multiformats/multiaddr'
import { multiaddr } from '@multiformats/multiaddr'
import { isCircuit } from './circuit-address.ts'

/** What gossipsub has and does not declare. */
type AddPeer = { addPeer(peer: unknown, direction: unknown, address: Multiaddr): void }

/** An address without a host: gossipsub counts no IP address of the peer. */
const NOWHERE = multiaddr('/p2p-circuit')

/** Gossipsub scores peers that share an IP address. One that comes through a relay has not the relay's. */
export function runRelayed(pubsub: object): void {
  const inner = pubsub as AddPeer
  const { addPeer } = inner
  inner.addPeer = (peer, direction, address) =>
    addPeer.call(inner, peer, direction, isCircuit(address) ? NOWHERE : address)
}
