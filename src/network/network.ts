import { servicesTopic } from '../../protocols/announcement.ts'
import { MAX_STATEMENT_BYTES } from '../../protocols/limits.ts'
import { statementsTopic } from '../../protocols/statement.ts'
import { SYNC_PROTOCOL } from '../../protocols/streams/sync.ts'
import { deadline } from '../base/clock.ts'
import { InputError, systemMessageOf, TimeoutError } from '../base/errors.ts'
import { LruMap } from '../base/lru-map.ts'
import { DIAL_TIMEOUT_MS, SCORED_PEERS } from './constants.ts'
import { createDht, noDht } from './dht/dht.ts'
import { createRecords } from './dht/records.ts'
import { createRequestContext } from './dht/request-context.ts'
import { routingTableOf } from './dht/routing-table.ts'
import { PeerUnavailableError } from './errors.ts'
import { createGossip } from './gossip/gossip.ts'
import { watchMisconduct } from './gossip/misconduct.ts'
import { createPeerScores } from './gossip/peer-scores.ts'
import { keepGossipStreams } from './gossip/stream-repair.ts'
import { parseMultiaddr, parsePeerId, withPeer } from './host/address.ts'
import { createHost, dhtProtocol, type Host, type PubSub, stopHost } from './host/create-host.ts'
import { forgetOwnProvides, openDatastore } from './host/datastore.ts'
import { libp2pKey } from './host/identity.ts'
import { otherNetwork, protocolsOf, warnOfOtherNetworks } from './host/other-network.ts'
import { createTransientBuffers } from './host/transient-buffers.ts'
import { createLimits } from './limits/limits.ts'
import { createNeighbours } from './neighbours/neighbours.ts'
import { createPeerManager, type PeerManager } from './peers/peer-manager.ts'
import { isCircuit } from './reachability/circuit-address.ts'
import { createReachability } from './reachability/reachability.ts'
import { createStreams } from './streams/streams.ts'
import { createSync } from './sync/sync.ts'
import type { Network, NetworkComponents, NetworkInit, NetworkPeer } from './types.ts'

/** Starts a libp2p host that listens. It dials, subscribes and syncs from `join()` on. */
export async function createNetwork(components: NetworkComponents, init: NetworkInit): Promise<Network> {
  const { clock, rng, events } = components
  const log = components.log.child('network')
  const isBlocked = (peer: string) => components.isBlocked?.(peer) ?? false
  await using started = new AsyncDisposableStack()

  const key = libp2pKey(init.identity)
  const { datastore } = components.host ?? {}
  const { store } = started.use(await openDatastore(init.dataDir, { clock, log, datastore }))
  const scoreTable = createPeerScores(() => clock.monotonic())
  const allowed = createAllowed()
  const topics = { services: servicesTopic(init.network), statements: statementsTopic(init.network) }
  const buffers = createTransientBuffers()
  const requestContext = createRequestContext()
  let host: Host | undefined
  let peerManager: PeerManager | undefined
  const isStatic = (peer: string) => peerManager?.isStatic(peer) ?? false
  const limits = started.use(
    createLimits(
      {
        ...{ clock, log, events, scoreTable },
        connections: (peer) => host?.getConnections(peer === undefined ? undefined : parsePeerId(peer)) ?? [],
        isStatic,
        isBlocked,
      },
      init,
    ),
  )
  const { peerScores } = limits
  const neighbours = createNeighbours({ clock, log, isStatic }, { onlyNamed: init.neighbours === 'named' })
  const reachability = createReachability(
    {
      clock,
      rng,
      log: log.child('reachability'),
      isStatic,
      inbound: limits.inbound,
      buffers,
      isExcluded: limits.isExcluded,
    },
    init,
  )
  const records = started.use(
    await createRecords(
      {
        clock,
        log,
        events,
        peerScores,
        store,
        validator: components.recordValidator,
        requestingPeer: requestContext.currentPeer,
      },
      { protocol: dhtProtocol(init.network) },
    ),
  )
  const libp2p = await createHost({
    network: init,
    parts: components.host ?? {},
    key,
    records,
    requestContext,
    log,
    scoreTable,
    buffers,
    limits,
    neighbours,
    topics: Object.values(topics),
    allowed,
    reachability: components.host?.transport === undefined ? reachability.host : undefined,
  })
  host = libp2p
  started.defer(() => stopHost(libp2p))
  started.use(await neighbours.attach(libp2p))
  const peerId = libp2p.peerId.toString()
  await forgetOwnProvides(store, peerId)

  const { pubsub, dht: kad, identify } = libp2p.services
  const connected = () => libp2p.getConnections().length > 0
  const shared = { clock, rng, log, events, libp2p, peerScores, allow: allowed.add }
  const routable = kad === undefined ? undefined : routingTableOf({ clock, dht: kad, connected }).filled
  const streams = started.use(createStreams({ ...shared, buffers, routable }))
  const mayGainSubscribers = () => connected() || libp2p.getDialQueue().length > 0
  const gossip = createGossip({ ...shared, pubsub, mayGainSubscribers }, { topic: topics.services, name: 'services' })
  const statements = createGossip(
    { ...shared, pubsub, mayGainSubscribers },
    { topic: topics.statements, name: 'statements', maxBytes: MAX_STATEMENT_BYTES },
  )
  started.use(
    keepGossipStreams({
      clock,
      log,
      connections: () => libp2p.getConnections(),
      hasStream: (peer) => pubsub.streamsOutbound.has(peer),
      async speaks({ remotePeer }) {
        const { protocols } = await libp2p.peerStore.get(remotePeer)
        return protocols.length === 0 || protocols.some((protocol) => protocol.startsWith('/meshsub/'))
      },
      identify: (connection) =>
        identify.identify(connection, { signal: deadline(clock, DIAL_TIMEOUT_MS, LATE).signal }),
    }),
  )
  const dht = started.use(
    kad === undefined
      ? noDht()
      : createDht({ clock, log, dht: kad, peerId, connected, records, validator: components.recordValidator }),
  )
  const peersSupporting = async (protocol: string) => {
    const peers = await Promise.all(libp2p.getPeers().map((peer) => libp2p.peerStore.get(peer).catch(() => undefined)))
    return peers
      .flatMap((peer) => (peer?.protocols.includes(protocol) ? [peer.id.toString()] : []))
      .filter(neighbours.includes)
  }
  const sync = started.use(
    createSync(
      {
        ...shared,
        streams,
        peersSupporting,
        neighbours,
      },
      { everyMs: init.syncEveryMs, pullsPerMinute: init.syncPullsPerPeerPerMinute, exchange: limits.exchange },
    ),
  )
  const manager = started.use(
    createPeerManager(
      { ...shared, isBlocked, excludedForMs: limits.excludedForMs, named: neighbours.nameStatic },
      init,
    ),
  )
  peerManager = manager
  const onLowScore = limits.checkScore
  const peers = () => libp2p.getPeers().map(String)
  started.use(watchMisconduct({ clock, pubsub, peers, onLowScore }))
  started.use(emitConnectionEvents(libp2p, components))
  started.use(warnOfOtherNetworks(libp2p, { log, network: init.network, isStatic }))
  if (components.host?.transport === undefined) started.use(reachability.attach(libp2p))
  let joined = false
  const parts = started.move()

  return {
    network: init.network,
    peerId,
    gossip,
    statements,
    streams,
    sync,
    dht,
    peerScores,
    async join(handlers = {}) {
      if (joined) throw new InputError('the network was joined already')
      joined = true
      await sync.start({ services: handlers.services?.sync, statements: handlers.statements?.sync })
      await libp2p.register(SYNC_PROTOCOL, {
        notifyOnLimitedConnection: true,
        onConnect: (peer) => sync.onPeerConnected(peer.toString()),
      })
      neighbours.onJoin((peer) => sync.onPeerConnected(peer))
      for (const peer of await peersSupporting(SYNC_PROTOCOL)) sync.onPeerConnected(peer)
      if (init.role !== 'client') {
        if (handlers.services !== undefined) gossip.subscribe(handlers.services.validator)
        if (handlers.statements !== undefined) statements.subscribe(handlers.statements.validator)
      }
      manager.start()
      events.emit('network:listening', { multiaddrs: addressesOf(libp2p) })
    },
    multiaddrs: () => addressesOf(libp2p),
    peers: () => peersOf(libp2p, manager, pubsub, topics.services),
    reachability: reachability.view,
    connectedTo: (peer) => libp2p.getConnections(parsePeerId(peer)).length > 0,
    async dial(address, { signal, neighbour } = {}) {
      const target = parseMultiaddr(address)
      using limit = deadline(clock, DIAL_TIMEOUT_MS, LATE, signal)
      allowed.add(address)
      try {
        const connection = await libp2p.dial(target, { signal: limit.signal })
        const peer = connection.remotePeer.toString()
        if (neighbour) neighbours.name(peer)
        return peer
      } catch (cause) {
        if (signal?.aborted) throw signal.reason
        throw new PeerUnavailableError(`${target} cannot be reached: ${systemMessageOf(cause)}`, { cause })
      }
    },
    async otherNetwork(peer, { signal } = {}) {
      using limit = deadline(clock, DIAL_TIMEOUT_MS, LATE, signal)
      return otherNetwork(await protocolsOf(libp2p, parsePeerId(peer), limit.signal), init.network)
    },
    hangUp: (peer) => libp2p.hangUp(parsePeerId(peer)),
    disconnect: (peer) => limits.disconnect(peer, 'the operator has blocked the peer'),
    setStaticNodes(nodes) {
      manager.setStaticNodes(nodes)
      for (const peer of libp2p.getPeers()) {
        if (!neighbours.includes(peer.toString())) libp2p.hangUp(peer).catch(() => {})
      }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

const LATE = new TimeoutError('the peer did not answer in time')

function emitConnectionEvents(libp2p: Host, { events }: NetworkComponents): Disposable {
  const opened = ({ detail: peer }: { detail: { toString(): string } }) => {
    const connection = libp2p.getConnections(parsePeerId(peer.toString()))[0]
    if (connection === undefined) return
    const { remoteAddr, direction } = connection
    events.emit('network:peer-connected', { peer: peer.toString(), multiaddr: remoteAddr.toString(), direction })
  }
  const closed = ({ detail: peer }: { detail: { toString(): string } }) =>
    events.emit('network:peer-disconnected', { peer: peer.toString() })
  libp2p.addEventListener('peer:connect', opened)
  libp2p.addEventListener('peer:disconnect', closed)
  return {
    [Symbol.dispose]() {
      libp2p.removeEventListener('peer:connect', opened)
      libp2p.removeEventListener('peer:disconnect', closed)
    },
  }
}

function peersOf(
  libp2p: Host,
  peerManager: PeerManager,
  pubsub: Pick<PubSub, 'getScore' | 'getMeshPeers'>,
  topic: string,
): NetworkPeer[] {
  const mesh = new Set(pubsub.getMeshPeers(topic))
  return libp2p.getPeers().flatMap((peer) => {
    const connections = libp2p.getConnections(peer)
    const connection = connections.find(({ remoteAddr }) => !isCircuit(remoteAddr)) ?? connections[0]
    if (connection === undefined) return []
    const peerId = peer.toString()
    return {
      peerId,
      multiaddr: withPeer(connection.remoteAddr, peerId),
      direction: connection.direction,
      connectedAt: connection.timeline.open,
      score: pubsub.getScore(peerId),
      static: peerManager.isStatic(peerId),
      mesh: mesh.has(peerId),
      relayed: isCircuit(connection.remoteAddr),
      rttMs: connection.rtt,
    }
  })
}

function addressesOf(libp2p: Host): string[] {
  return libp2p.getMultiaddrs().map((address) => withPeer(address, libp2p.peerId.toString()))
}

/** Addresses that someone asked for by name, with or without the peer id at their end. */
function createAllowed() {
  const known = new LruMap<string, true>(SCORED_PEERS)
  const bare = (address: string) => address.replace(/\/p2p\/[^/]+$/, '')
  return {
    add: (address: string) => known.set(bare(address), true),
    has: (address: string) => known.has(bare(address)),
  }
}
