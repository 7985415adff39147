import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { InputError, messageOf } from '../../base/errors.ts'
import { printable } from '../../base/text.ts'

export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new InputError(`"${printable(text, 80)}" is not a peer id (12D3KooW...)`, { cause })
  }
}

export function parseMultiaddr(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw new InputError(`"${printable(text, 120)}" is not a multiaddr: ${messageOf(cause)}`, { cause })
  }
}

/** The peer id at the end of a multiaddr. (A relay's address names two: the last is whom it leads to.) */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast((component) => component.name === 'p2p')?.value
}

/** The address with /p2p/<id> at its end. */
export function withPeer(address: Multiaddr, peer: string): string {
  return address.getComponents().at(-1)?.name === 'p2p' ? address.toString() : `${address}/p2p/${peer}`
}
