import type { PeerId } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { Host } from './create-host.ts'

/** Peers of other networks that were warned of. */
const MAX_WARNED = 64

/** The network that a peer belongs to, by the DHT that it serves, where it is another one than ours. */
export function otherNetwork(protocols: readonly string[], network: string): string | undefined {
  const served = protocols.flatMap((protocol) => /^\/thundercloud\/([a-z0-9-]{1,32})\/kad\//.exec(protocol)?.[1] ?? [])
  return served.includes(network) ? undefined : served[0]
}

/** What a connected peer says that it speaks. The library asks each new peer by itself, and a peer answers one question at a time. */
export async function protocolsOf(libp2p: Host, peer: PeerId, signal: AbortSignal): Promise<readonly string[]> {
  const known = async () => (await libp2p.peerStore.get(peer).catch(() => undefined))?.protocols ?? []
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>()
  const look = ({ detail }: { detail: { peerId: PeerId; protocols: string[] } }) => {
    if (detail.peerId.equals(peer)) resolve(detail.protocols)
  }
  libp2p.addEventListener('peer:identify', look)
  known().then((protocols) => {
    if (protocols.length > 0) resolve(protocols)
  }, reject)
  try {
    return await raceSignal(promise, signal)
  } finally {
    libp2p.removeEventListener('peer:identify', look)
  }
}

/** A static node of another network would be dialled for ever, connected, and never send anything: logged once for each. */
export function warnOfOtherNetworks(
  libp2p: Host,
  { log, network, isStatic }: { log: Log; network: string; isStatic(peer: string): boolean },
): Disposable {
  const warned = new LruMap<string, true>(MAX_WARNED)
  const look = ({ detail }: { detail: { peerId: { toString(): string }; protocols: string[] } }) => {
    const peer = detail.peerId.toString()
    const other = otherNetwork(detail.protocols, network)
    if (other === undefined || !isStatic(peer) || warned.has(peer)) return
    warned.set(peer, true)
    log.warn('a static node belongs to another network: name one of ours in STATIC_NODES, or its network as NETWORK', {
      peer,
      network: other,
      ours: network,
    })
  }
  libp2p.addEventListener('peer:identify', look)
  return { [Symbol.dispose]: () => libp2p.removeEventListener('peer:identify', look) }
}
