import type { KeyObject } from 'node:crypto'
import type { ComponentLogger, ConnectionEncrypter, Metrics, Transport } from '@libp2p/interface'
import type { noise } from '@libp2p/noise'
import type { tcp } from '@libp2p/tcp'
import type { Datastore } from 'interface-datastore'
import type { CID } from '../../protocols/encoding.ts'
import type { SyncItem } from '../../protocols/streams/sync.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Backoff } from '../base/retry.ts'
import type { Rng } from '../base/rng.ts'
import type { RecordValidator, StatementSource } from '../base/statement-sync.ts'
import type { MessageStream, OpenStreamOptions, StreamOpener } from '../base/stream.ts'
import type { NetworkEvents } from './events.ts'
import type { MessageValidator } from './message-validator.ts'
import type { ReachabilityView, RelayInit } from './reachability/types.ts'

/** What sync serves and fills: the live services (and stops) that this node would emit. */
export interface SyncSource {
  /** Items after `after` in byte order of their ids, at most `max`. */
  list(after: CID | undefined, max: number): readonly SyncItem[]
  /** The announcement that this node would emit, or undefined where it emits none (any more). */
  get(id: CID): Uint8Array | undefined
  /** Which of these are better than what is here. */
  wants(items: readonly SyncItem[]): readonly CID[]
  /** Takes an announcement in. Throws a ProtocolError where it is malformed or forged: its sender pays. */
  arrive(bytes: Uint8Array, from: string, via: 'sync' | 'tell'): Promise<void>
}

export interface NetworkComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<NetworkEvents>
  /** Without it the DHT keeps and finds no value records. */
  recordValidator?: RecordValidator | undefined
  /** Has the operator blocked this peer? It is neither dialled nor let in. */
  isBlocked?(peer: string): boolean
  /** What of the libp2p host is another than usual. */
  host?: HostParts | undefined
}

/** What a host is made of where it is not a machine's: a simulation hands in its own. */
export type HostParts = {
  /** default TCP */
  readonly transport?: ((components: Parameters<ReturnType<typeof tcp>>[0]) => Transport) | undefined
  /** default noise */
  readonly encrypter?: ((components: Parameters<ReturnType<typeof noise>>[0]) => ConnectionEncrypter) | undefined
  /** in the place of the one in `dataDir`; it is not closed with the network */
  readonly datastore?: Datastore | undefined
  /** What counts the library's connections, streams and bytes. */
  readonly metrics?: ((components: { logger: ComponentLogger }) => Metrics) | undefined
}

/**
 * What answers the mesh, topic by topic: the validator of its gossip, and what sync exchanges. A topic without handlers is
 * not read and not synced; it can be published to.
 */
export type NetworkHandlers = {
  readonly services?: { readonly validator: MessageValidator; readonly sync?: SyncSource | undefined } | undefined
  readonly statements?: { readonly validator: MessageValidator; readonly sync: StatementSource } | undefined
}

export type NetworkInit = {
  /** the network's name: part of topics and of the DHT's protocol */
  readonly network: string
  /** ed25519 private key: an object, or PKCS#8 PEM. The peer id is its public key */
  readonly identity: KeyObject | string
  /** multiaddrs to listen on; none for a peer that only dials */
  readonly listen?: readonly string[] | undefined
  /** more multiaddrs to announce */
  readonly announce?: readonly string[] | undefined
  /** private: private addresses are dialled and announced, and many peers behind one address are normal */
  readonly visibility: 'public' | 'private'
  /** folder for known peers and DHT records; without one they live in memory */
  readonly dataDir?: string | undefined
  /** always dialled, redialled for ever: multiaddrs, or HTTP(S) origins that are asked for theirs */
  readonly staticNodes?: readonly string[] | undefined
  /** client: asks the DHT but does not serve it, publishes but does not subscribe */
  readonly role?: 'node' | 'client' | undefined
  /** false: no DHT; nothing is provided and nothing found */
  readonly dht?: boolean | undefined
  /** when to look for more peers, or false: only static nodes are dialled */
  readonly keepPeers?: { readonly lowWater?: number; readonly everyMs?: number } | false | undefined
  /**
   * the peers of gossip and sync. named: static nodes, and those that name this one; connections to others open
   * when they are needed, carry neither, and close when they are idle. Default all
   */
  readonly neighbours?: 'all' | 'named' | undefined
  /** waits between dials of a static node */
  readonly redial?: Backoff | undefined
  readonly maxConnections?: number | undefined
  /** a connection on which no stream is open for so long is closed; default one minute */
  readonly connectionIdleMs?: number | undefined
  readonly syncEveryMs?: number | undefined
  /** how long gossip remembers what it has seen; the validator is asked again about what comes later. Default two minutes */
  readonly seenTtlMs?: number | undefined
  readonly syncPullsPerPeerPerMinute?: number | undefined
  /** what this node relays for others; without it nothing */
  readonly relay?: RelayInit | undefined
  /** inbound connections have so long to come before a relay is asked; default 20 s */
  readonly reserveAfterMs?: number | undefined
  /** libp2p's own log lines, at debug and trace */
  readonly verbose?: boolean | undefined
  /** bounds that a test switches off, to see that they are what holds */
  readonly without?: readonly Defence[] | undefined
}

/** A neighbour, as people are shown it. `connectedAt` in ms. */
export type NetworkPeer = {
  readonly peerId: string
  readonly multiaddr: string
  readonly direction: 'inbound' | 'outbound'
  readonly connectedAt: number
  /** gossip score; below 0 the peer has misbehaved */
  readonly score: number
  readonly static: boolean
  /** in the mesh of the services topic: announcements go to it, and come from it, as they are published */
  readonly mesh: boolean
  /** over a relay: the address is the relay's */
  readonly relayed: boolean
  /** of the last ping; undefined before the first */
  readonly rttMs?: number | undefined
}

export type Publication = 'published' | 'seen' | 'no-peers'

export interface Gossip {
  /**
   * Sends a message to the mesh. `seen`: the same bytes came by gossip or went out in the last two minutes, and
   * gossipsub publishes nothing twice. `no-peers`: no neighbour listens, also not after a short wait for fresh ones.
   * `to: 'all'` sends to every neighbour that listens and not only to the mesh's few: for what they will not forward.
   */
  publish(
    data: Uint8Array,
    options?: { to?: 'mesh' | 'all' | undefined; signal?: AbortSignal | undefined },
  ): Promise<Publication>
  /** Neighbours that listen to the topic. */
  listeners(): string[]
}

export type StreamHandler = (stream: MessageStream, options: { signal: AbortSignal }) => Promise<void>

export type HandleOptions = {
  /** streams of one peer at once; default 16 */
  readonly maxInbound?: number | undefined
  /** streams of all peers at once; default 512 */
  readonly maxInboundStreams?: number | undefined
  /** longest message that is read; default 1 MiB and a little */
  readonly maxMessageBytes?: number | undefined
  /** a stream on which nothing moves for so long is reset; default one minute */
  readonly idleMs?: number | undefined
}

export type OpenOptions = OpenStreamOptions & {
  /** longest message that is read; default 1 MiB and a little */
  readonly maxMessageBytes?: number | undefined
}

export interface Streams extends StreamOpener {
  /** `peer`: a peer id, or a multiaddr that ends in /p2p/<id>. Throws PeerUnavailableError or ProtocolUnsupportedError. */
  open(peer: string, protocol: string, options?: OpenOptions): Promise<MessageStream>
  /**
   * Serves a protocol. When the handler has returned, the stream is ended; when it throws, it is reset and the error
   * logged. Its signal aborts when the stream or the network ends.
   */
  handle(protocol: string, handler: StreamHandler, options?: HandleOptions): Promise<AsyncDisposable>
}

export interface Sync {
  /** Offers these to all neighbours. Resolves when they are on their way. */
  offer(items: readonly SyncItem[]): Promise<void>
  /** Pulls these from a peer, into `arrive`. Returns how many came. */
  pullFrom(peer: string, ids: readonly CID[], options?: { signal?: AbortSignal | undefined }): Promise<number>
  /** Hands an announcement straight to a peer. `peer`: a peer id, or a multiaddr that ends in /p2p/<id>. */
  tell(peer: string, announcement: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** One whole round with a peer now: list services and statements, pull what is missing. Returns how many services came. */
  with(peer: string, options?: { signal?: AbortSignal | undefined }): Promise<number>
}

export interface Dht {
  /**
   * Provides `cid` in the DHT, and repeats that until `cancel`. Returns how many peers took the record;
   * throws NotProvidedError where none did (and goes on trying).
   */
  provide(cid: CID, options?: { signal?: AbortSignal | undefined }): Promise<number>
  cancel(cid: CID): Promise<void>
  /** Peer ids of providers as they are found, without this node; ends with the lookup, in bounded time, or the signal. */
  findProviders(cid: CID, options?: { signal?: AbortSignal | undefined }): AsyncIterable<string>
  /**
   * Puts a value record to the peers that are closest to its key ("/attest/...", "/trust/..."). Returns how many took
   * it; throws NotProvidedError where none did, an InputError where the rules refuse it.
   */
  putValue(key: string, value: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<number>
  /**
   * Values of a key, each once, as peers answer; each is valid. Ends with the lookup, in bounded
   * time, or the signal; a peer that fails, misbehaves or is stale does not affect the answers of others. Throws an
   * UnavailableError if no peer could be asked.
   */
  findValues(key: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>
}

/** What is remembered of peers' conduct; it is part of their gossip score and outlives their connections. */
export interface PeerScores {
  /** The peer was the first to bring something new and valid. */
  reward(peer: string): void
  /** The peer sent something forged, malformed, or not what was asked for. */
  penalize(peer: string): void
  /** Below 0: it has sent invalid data, and not made up for it yet. */
  score(peer: string): number
}

export interface Network extends AsyncDisposable {
  readonly network: string
  readonly peerId: string
  /** The services topic. */
  readonly gossip: Gossip
  /** The statements topic. */
  readonly statements: Gossip
  readonly streams: Streams
  readonly sync: Sync
  readonly dht: Dht
  readonly peerScores: PeerScores
  /** Subscribes, serves sync, and starts dialling. Called once, when the handlers are ready. */
  join(handlers?: NetworkHandlers): Promise<void>
  /** Own addresses, each ending in /p2p/<id>. */
  multiaddrs(): string[]
  peers(): NetworkPeer[]
  /** How this node can be reached, as far as it knows. */
  reachability(): ReachabilityView
  connectedTo(peer: string): boolean
  /** The network of a connected peer, where it says that it belongs to another one. */
  otherNetwork(peer: string, options?: { signal?: AbortSignal | undefined }): Promise<string | undefined>
  /** Connects to a multiaddr; returns the peer id. `neighbour`: named by this node from now on, as a static node is. */
  dial(
    multiaddr: string,
    options?: { signal?: AbortSignal | undefined; neighbour?: boolean | undefined },
  ): Promise<string>
  hangUp(peer: string): Promise<void>
  /** Ends all connections of a peer at once. */
  disconnect(peer: string): void
  /**
   * Replaces the static nodes. Those that are gone are not redialled; their connections stay, unless only named nodes are
   * neighbours.
   */
  setStaticNodes(nodes: readonly string[]): void
}

/** What one test switches off, to see that it is this that holds. Nothing else does. */
export type Defence = 'pending' | 'rates' | 'muxer' | 'frame-size' | 'exclusion' | 'exchange'
