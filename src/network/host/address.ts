import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { InputError, messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'

export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new InputError(`"${sanitizeText(text, 80)}" is not a peer id (12D3KooW...)`, { cause })
  }
}

export function parseMultiaddr(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw new InputError(`"${sanitizeText(text, 120)}" is not a multiaddr: ${messageOf(cause)}`, { cause })
  }
}

/** The peer id at the end of a multiaddr. (A relay's address names two: the last is the destination.) */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast((component) => component.name === 'p2p')?.value
}

/** The address with /p2p/<id> at its end. */
export function withPeer(address: Multiaddr, peer: string): string {
  return address.getComponents().at(-1)?.name === 'p2p' ? address.toString() : `${address}/p2p/${peer}`
}

/**
 * What counts as one address where shares are counted: an IPv4 address, or the /64 of an IPv6 address. Peers that come
 * through a relay share one of their own: their addresses are not known, and the relay's is the relay's alone.
 */
export function addressGroup(address: Multiaddr): string {
  const components = address.getComponents()
  const circuit = components.findLastIndex(({ name }) => name === 'p2p-circuit')
  if (circuit >= 0) {
    const relay = components.slice(0, circuit).findLast(({ name }) => name === 'p2p')
    return `relay ${relay?.value ?? address}`
  }
  const host = components.find(({ name }) => name === 'ip4' || name === 'ip6')
  if (host?.value === undefined) return address.toString()
  if (host.name === 'ip4') return host.value
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host.value)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [head = '', tail] = host.value.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [front, back] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const all = [...front, ...Array<string>(zeros).fill('0'), ...back]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
