import type { Multiaddr } from '@multiformats/multiaddr'
import { withPeer } from '../host/address.ts'

/** Does the connection, or the address, lead through a relay? */
export function isCircuit(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

/**
 * Where this node can be dialled through a relay: at the address at which it reached the relay itself. What the relay says
 * of its addresses is not announced: it could name any.
 */
export function circuitThrough(relayAddress: Multiaddr, relay: string): string {
  return `${withPeer(relayAddress, relay)}/p2p-circuit`
}
