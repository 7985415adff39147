import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { Configuration } from '../../config/index.ts'
import type { QuotaInit } from '../../intake/index.ts'
import type { NetworkInit } from '../../network/index.ts'
import { staticNodesOf } from '../../policy/reload.ts'

/** What the network needs of the operator's files. */
export function networkInitOf(
  configuration: Configuration,
  identity: KeyObject,
  { dht, without }: Pick<NetworkInit, 'dht' | 'without'>,
): NetworkInit {
  const { network, listen, announce, visibility, dataDir, peers, quotas, logLevel, relay } = configuration
  return {
    network,
    identity,
    listen,
    announce,
    visibility,
    dataDir: join(dataDir, 'network'),
    staticNodes: staticNodesOf(configuration.policy),
    ...(relay && {
      relay: { reservations: relay.RESERVATIONS, bytes: relay.BYTES, seconds: relay.SECONDS, rate: relay.RATE },
    }),
    dht,
    without,
    keepPeers: peers.low === 0 ? false : { lowWater: peers.low },
    neighbours: peers.low === 0 ? 'named' : 'all',
    syncPullsPerPeerPerMinute: quotas.SYNC_PULLS_PER_PEER_PER_MINUTE,
    verbose: logLevel === 'trace',
  }
}

export function quotasOf({ quotas }: Configuration): QuotaInit {
  return {
    servicesPerAuthor: quotas.SERVICES_PER_AUTHOR,
    newPerAuthorPerMinute: quotas.NEW_PER_AUTHOR_PER_MINUTE,
    newAuthorsPerPeerPerMinute: quotas.NEW_AUTHORS_PER_PEER_PER_MINUTE,
    journalMax: quotas.JOURNAL_MAX_SERVICES,
    queueMax: quotas.QUEUE_MAX,
    deferredMax: quotas.MISSED_MAX,
  }
}
