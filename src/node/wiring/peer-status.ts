import { claimOf } from '../../../protocols/claims.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import type { Receipt } from '../../../protocols/receipt.ts'
import type { Network } from '../../network/index.ts'
import { servicePeers } from '../../peer-client/service-peers.ts'
import { requestStatus, requestStatusFrom } from '../../peer-client/status.ts'
import type { ClaimMesh } from '../../placement/index.ts'
import type { Receipts } from '../../services/receipts.ts'
import type { NodeContext } from './context.ts'

/** What other nodes do with a service, as they answer now. */
export interface PeerStatus {
  ask(service: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<Receipt>
  /** The same, of the nodes that place its replicas. */
  readonly claimMesh: Omit<ClaimMesh, 'inUse'>
}

export function createPeerStatus(
  { clock, keys, networkName: name }: NodeContext,
  {
    network,
    receipts,
  }: { network: Pick<Network, 'peerId' | 'peers' | 'peerScores' | 'dht' | 'streams'>; receipts: Receipts },
): PeerStatus {
  const candidates = (service: CID, { signal }: { signal?: AbortSignal | undefined }) => {
    const reporters = receipts.views(service.toString()).map(({ peerId }) => peerId)
    return servicePeers({ network }, service, { reporters, signal })
  }
  const ask: PeerStatus['ask'] = (service, options) =>
    requestStatus({ clock, keys, streams: network.streams, candidates }, name, service, options)
  return {
    ask,
    claimMesh: {
      neighbours: () => network.peers().map(({ peerId }) => peerId),
      providers: (service, options) => network.dht.findProviders(parseCid(service), options),
      misbehaves: (peer) => network.peerScores.score(peer) < 0,
      async ask(peer, service, { signal }) {
        try {
          const streams = network.streams
          return claimOf((await requestStatusFrom({ keys, streams }, name, parseCid(service), peer, signal)).body)
        } catch (error) {
          // forged or malformed: the peer that sent it pays
          if (error instanceof ProtocolError) network.peerScores.penalize(peer)
          throw error
        }
      },
    },
  }
}
