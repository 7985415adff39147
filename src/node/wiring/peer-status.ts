import { isClaim } from '../../../protocols/claims.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import type { Receipt } from '../../../protocols/receipt.ts'
import type { Network } from '../../network/index.ts'
import { servicePeers } from '../../peer-client/service-peers.ts'
import { requestStatus } from '../../peer-client/status.ts'
import type { Receipts } from '../../services/receipts.ts'
import type { NodeContext } from './context.ts'

/** What other nodes do with a service, as they answer now. */
export interface PeerStatus {
  ask(service: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<Receipt>
  /** How many answer that they run it, are about to, or have finished it; counting ends at `enough`. */
  count(id: string, enough: number, options: { signal: AbortSignal }): Promise<number>
}

export function createPeerStatus(
  { clock, keys, networkName: name }: NodeContext,
  { network, receipts }: { network: Pick<Network, 'peerId' | 'peers' | 'dht' | 'streams'>; receipts: Receipts },
): PeerStatus {
  const candidates = (service: CID, { signal }: { signal?: AbortSignal | undefined }) => {
    const reporters = receipts.views(service.toString()).map(({ peerId }) => peerId)
    return servicePeers({ network }, service, { reporters, signal })
  }
  const ask: PeerStatus['ask'] = (service, options) =>
    requestStatus({ clock, keys, streams: network.streams, candidates }, name, service, options)
  return {
    ask,
    async count(id, enough, options) {
      let count = 0
      for await (const { body } of ask(parseCid(id), options)) {
        if (isClaim(body)) count++
        if (count >= enough) break
      }
      return count
    },
  }
}
