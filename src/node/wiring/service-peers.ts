import { isClaim } from '../../../protocols/claims.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import type { Clock } from '../../base/clock.ts'
import type { Network } from '../../network/index.ts'
import { requestStatus } from '../../peer-client/status.ts'
import type { Receipts } from '../../services/receipts.ts'

export interface ServicePeersComponents {
  network: Pick<Network, 'peerId' | 'peers' | 'dht'>
  receipts: Pick<Receipts, 'views'>
}

/** Peers that may know what became of a service: those that said they run it, neighbours, then whom the DHT names. */
export async function* candidatesFor(
  { network, receipts }: ServicePeersComponents,
  service: CID,
  options: { signal?: AbortSignal | undefined },
): AsyncGenerator<string> {
  const seen = new Set<string>([network.peerId])
  const told = receipts.views(service.toString()).map(({ peerId }) => peerId)
  for (const peerId of [...told, ...network.peers().map((peer) => peer.peerId)]) {
    if (!seen.has(peerId)) yield peerId
    seen.add(peerId)
  }
  for await (const peerId of network.dht.findProviders(service, options)) if (peerId !== network.peerId) yield peerId
}

/** How many nodes answer that they run a service, are about to, or have finished it; counting ends at `enough`. */
export function createRunCount(
  components: { clock: Clock; keys: KeyCache; network: Network; receipts: Receipts },
  init: { network: string },
) {
  const { clock, keys, network } = components
  return async (id: string, enough: number, options: { signal: AbortSignal }): Promise<number> => {
    const asked = (service: CID, until: { signal?: AbortSignal | undefined }) =>
      candidatesFor(components, service, until)
    const answers = requestStatus(
      { clock, keys, streams: network.streams, candidates: asked },
      init.network,
      parseCid(id),
      options,
    )
    let count = 0
    for await (const { body } of answers) {
      if (isClaim(body)) count++
      if (count >= enough) break
    }
    return count
  }
}
