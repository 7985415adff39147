import { isLoopback, isPrivate, tryGetNetConfig } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

export type JoinScope = { listen: string; visibility: 'public' | 'private' }

/** Where a light peer listens, and which addresses of peers it may dial, by the addresses that it joins through. */
export function joinScope(join: readonly string[]): JoinScope {
  const addresses = join.map(parse)
  return {
    listen: addresses.every(isThisMachine) ? '/ip4/127.0.0.1/tcp/0' : '/ip4/0.0.0.0/tcp/0',
    visibility: addresses.some((address) => address && isPrivate(address)) ? 'private' : 'public',
  }
}

function isThisMachine(address: Multiaddr | undefined): boolean {
  return address !== undefined && (isLoopback(address) || tryGetNetConfig(address)?.host === 'localhost')
}

/** Undefined if the text is not a multiaddr: dialling it fails with that reason, and another address may do. */
function parse(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    return undefined
  }
}
