import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { type GossipSub, type GossipsubOpts, gossipsub, StrictNoSign } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Ed25519PrivateKey, Libp2p, PeerId } from '@libp2p/interface'
import {
  type KadDHT,
  type KadDHTComponents,
  kadDHT,
  passthroughMapper,
  removePrivateAddressesMapper,
} from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import type { Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { isPrivate } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { messageId } from '../../../protocols/announcement.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import * as limits from '../constants.ts'
import type { Records } from '../dht/records.ts'
import type { RequestContext } from '../dht/request-context.ts'
import { ListenError } from '../errors.ts'
import { sendInBatches } from '../gossip/batches.ts'
import type { PeerScoreTable } from '../gossip/peer-scores.ts'
import { gossipScoreParams, THRESHOLDS } from '../gossip/score-params.ts'
import type { Limits } from '../limits/limits.ts'
import { runRelayed } from '../reachability/gossip.ts'
import type { ReachabilityHostParts } from '../reachability/types.ts'
import type { HostParts, NetworkInit } from '../types.ts'
import { addressGroup } from './address.ts'
import { guardedTransport } from './guarded-transport.ts'
import { libp2pLogger } from './logger.ts'
import { createNoiseCrypto } from './noise-crypto.ts'
import { pingService } from './ping.ts'
import type { TransientBuffers } from './transient-buffers.ts'
import { createYamux } from './yamux.ts'

/** What `gossipsub()` returns, with the members that its declared interface leaves out. */
export type PubSub = Omit<GossipSub, 'publish'> & {
  readonly streamsOutbound: ReadonlyMap<string, unknown>
  getScore(peer: string): number
  getMeshPeers(topic: string): string[]
  publish(topic: string, data: Uint8Array, options: { floodPublish: boolean }): Promise<{ recipients: PeerId[] }>
}
export type HostServices = { identify: Identify; ping: Ping; pubsub: PubSub; dht?: KadDHT; relay?: CircuitRelayService }
export type Host = Libp2p<HostServices>

export type HostInit = {
  readonly network: NetworkInit
  readonly parts: HostParts
  readonly key: Ed25519PrivateKey
  /** The datastore, and what value records have to be. */
  readonly records: Pick<Records, 'store' | 'validators' | 'selectors'>
  readonly requestContext: RequestContext
  readonly log: Log
  readonly scoreTable: PeerScoreTable
  readonly buffers: TransientBuffers
  readonly limits: Limits
  readonly neighbours: { guard(registrar: object): void }
  /** What may be read and sent here; each is scored. */
  readonly topics: readonly string[]
  /** Addresses that someone asked for by name: dialled also where private ones are not. */
  readonly allowed: { has(address: string): boolean }
  /** Relaying and being relayed; undefined on a transport that has no addresses behind others. */
  readonly reachability: ReachabilityHostParts | undefined
}

/** libp2p with everything that this network says, listening. */
export async function createHost(init: HostInit): Promise<Host> {
  const { network, key, records, log, allowed, buffers, limits: guards, reachability } = init
  const { transport = tcp(), encrypter = noise({ crypto: createNoiseCrypto(buffers) }), metrics } = init.parts
  const { visibility, listen = [], announce = [] } = network
  const services = {
    // first: what the others register passes it
    limits: ({ registrar }: { registrar: object }) => {
      guards.guard(registrar)
      init.neighbours.guard(registrar)
      return {}
    },
    identify: identify(),
    ping: pingService(),
    pubsub: gossipService(init),
    ...(network.dht === false ? {} : { dht: dhtService(init) }),
    ...(reachability?.relay && { relay: reachability.relay }),
    // where one side can be dialled, a relayed connection is replaced by a direct one
    ...(reachability && { dcutr: reachability.upgrade }),
  }
  try {
    const libp2p = await createLibp2p({
      privateKey: key,
      datastore: records.store,
      ...(metrics && { metrics }),
      logger: libp2pLogger(log.child('libp2p'), network.verbose === true),
      nodeInfo: { name: 'thundercloud', version: '1', userAgent: 'thundercloud/1' },
      addresses: {
        listen: [...listen],
        appendAnnounce: [...announce],
        ...(reachability && { announceFilter: reachability.announced }),
      },
      transports: [
        guardedTransport(transport, buffers, guards.inbound),
        ...(reachability ? [reachability.transport] : []),
      ],
      connectionEncrypters: [encrypter],
      streamMuxers: [
        createYamux(
          {
            streamOptions: {
              maxStreamWindowSize: limits.STREAM_WINDOW_BYTES,
              maxReadBufferLength: limits.STREAM_BUFFER_BYTES,
            },
          },
          buffers,
          guards.guardMuxer,
        ),
      ],
      connectionManager: {
        // the library's own bounds lie above those of `limits`, which know addresses
        maxConnections: guards.maxConnections + limits.MAX_PENDING_INBOUND,
        inboundConnectionThreshold: limits.INBOUND_CONNECTIONS_PER_SECOND,
        maxIncomingPendingConnections: guards.libraryPending,
        dialTimeout: limits.DIAL_TIMEOUT_MS,
        outboundStreamProtocolNegotiationTimeout: limits.NEGOTIATION_TIMEOUT_MS,
      },
      connectionMonitor: {
        pingInterval: limits.PING_INTERVAL_MS,
        pingTimeout: { minTimeout: limits.PING_TIMEOUT_MS, maxTimeout: limits.PING_TIMEOUT_MAX_MS },
      },
      connectionGater: {
        // on a public network peers cannot make this node dial addresses inside this machine or its LAN
        denyDialMultiaddr: (address: Multiaddr) =>
          visibility === 'public' && isPrivate(address) && !allowed.has(address.toString()),
        denyDialPeer: (peer: PeerId) => guards.isExcluded(peer.toString()),
        denyOutboundEncryptedConnection: (peer: PeerId) => guards.isExcluded(peer.toString()),
        // here the peer is authenticated: no connection is closed for a silent, unknown peer
        denyInboundEncryptedConnection: (peer: PeerId, { remoteAddr }: { remoteAddr: Multiaddr }) =>
          guards.isExcluded(peer.toString()) || !guards.admit(addressGroup(remoteAddr)),
        ...reachability?.gater,
      },
      peerStore: { maxAddressAge: limits.ADDRESS_AGE_MS, maxPeerAge: limits.PEER_AGE_MS },
      services,
    })
    return libp2p as unknown as Host
  } catch (error) {
    throw listenError(error, listen) ?? error
  }
}

type LeftTimers = {
  components: { addressManager: { _updatePeerStoreAddresses: { (): void; stop(): void } } }
  services: { pubsub: { status: { heartbeatTimeout?: NodeJS.Timeout } } }
}

/** Stops it, and two timers that the library leaves behind: the process would go on for up to a second for them. */
export async function stopHost(host: Host): Promise<void> {
  const { components, services } = host as unknown as LeftTimers
  // of the service as it is now: once stopped it has another one
  const { status } = services.pubsub
  components.addressManager._updatePeerStoreAddresses.stop()
  // also when the listeners close
  components.addressManager._updatePeerStoreAddresses = Object.assign(() => {}, { stop: () => {} })
  await host.stop()
  status.heartbeatTimeout?.close()
}

function gossipService(init: HostInit) {
  const service = gossipsub(gossipOptions(init))
  return (components: Parameters<typeof service>[0]) => {
    const pubsub = service(components)
    sendInBatches(pubsub)
    runRelayed(pubsub)
    return pubsub
  }
}

function gossipOptions({ network, scoreTable, topics, limits: guards }: HostInit): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: ({ topic, data }) => messageId(topic, data),
    // no topic forwards anything by itself: every message passes a validator first
    fallbackToFloodsub: false,
    floodPublish: false,
    batchPublish: true,
    runOnLimitedConnection: true,
    doPX: false,
    emitSelf: false,
    D: limits.MESH.want,
    Dlo: limits.MESH.low,
    Dhi: limits.MESH.high,
    // what a node emits it publishes, and publishing does not heed what others say they have
    idontwantMinDataSize: Number.POSITIVE_INFINITY,
    // elsewhere a quarter of the neighbours outside the mesh gets news of messages, for others forward everything; here
    // this node may be the only one that does
    gossipFactor: 1,
    seenTTL: network.seenTtlMs ?? limits.SEEN_TTL_MS,
    allowedTopics: new Set(topics),
    maxInboundDataLength: guards.maxGossipFrameBytes,
    maxOutboundBufferSize: limits.MAX_GOSSIP_UNSENT_BYTES,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 2048,
      maxIhaveMessageIDs: 5000,
      maxIwantMessageIDs: 5000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 256,
      maxPeerInfos: 16,
    },
    gossipsubIWantFollowupMs: limits.IWANT_FOLLOWUP_MS,
    scoreParams: gossipScoreParams(topics, network.visibility, scoreTable),
    scoreThresholds: THRESHOLDS,
  }
}

/** The DHT speaks a protocol of its own: libp2p's public one is unrelated to this network. */
export function dhtProtocol(network: string): string {
  return `/thundercloud/${network}/kad/1.0.0`
}

function dhtService({ network: { network, visibility, role }, records, requestContext }: HostInit) {
  const service = kadDHT({
    protocol: dhtProtocol(network),
    clientMode: role === 'client',
    // the library's default would drop every address of a private network
    peerInfoMapper: visibility === 'private' ? passthroughMapper : removePrivateAddressesMapper,
    allowQueryWithZeroPeers: true,
    alpha: limits.DHT_ALPHA,
    networkDialTimeout: limits.DHT_REQUEST_TIMEOUT,
    reprovide: {
      interval: limits.REPROVIDE_INTERVAL_MS,
      validity: limits.PROVIDER_VALIDITY_MS,
      threshold: limits.REPROVIDE_THRESHOLD_MS,
    },
    validators: records.validators,
    selectors: records.selectors,
  })
  return (components: KadDHTComponents) => service(requestContext.wrap(components))
}

function listenError(error: unknown, listen: readonly string[]): ListenError | undefined {
  const text = error instanceof Error ? `${error.message} ${messageOf(error.cause)}` : String(error)
  const where = listen.find((address) => text.includes(address)) ?? listen.join(', ')
  const problem = /EADDRINUSE/.test(text)
    ? 'is in use by another program'
    : /EACCES/.test(text)
      ? 'needs rights that this process does not have'
      : /EADDRNOTAVAIL/.test(text)
        ? 'is not an address of this machine'
        : /UnsupportedListenAddress|failed to be listened/.test(text)
          ? 'cannot be listened on'
          : undefined
  if (problem === undefined) return undefined
  return new ListenError(`${where} ${problem}; change LISTEN in node.json`, { cause: error })
}
