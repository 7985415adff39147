import type { CID } from '../../protocols/encoding.ts'

export interface ServicePeersComponents {
  network: {
    readonly peerId: string
    peers(): readonly { readonly peerId: string }[]
    readonly dht: { findProviders(cid: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<string> }
  }
}

/**
 * Peers that may know a service's state: those that reported it, neighbours, then those that the DHT names. The DHT
 * may name one again, with its addresses.
 */
export async function* servicePeers(
  { network }: ServicePeersComponents,
  service: CID,
  options: { reporters: Iterable<string>; signal?: AbortSignal | undefined },
): AsyncGenerator<string> {
  const near = new Set([...options.reporters, ...network.peers().map(({ peerId }) => peerId)])
  near.delete(network.peerId)
  yield* near
  for await (const peerId of network.dht.findProviders(service, options)) if (peerId !== network.peerId) yield peerId
}
