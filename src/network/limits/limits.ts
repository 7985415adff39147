import type { Connection, StreamMuxer } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import * as bounds from '../constants.ts'
import type { NetworkEvents } from '../events.ts'
import type { PeerScoreTable } from '../gossip/peer-scores.ts'
import { createInbound, type Inbound } from '../host/inbound.ts'
import type { NetworkInit, PeerScores } from '../types.ts'
import { createEstablishedConnections } from './connections.ts'
import { createExclusion } from './exclusion.ts'
import { guardMuxer, type RawMuxer } from './muxer-frames.ts'
import { createPendingConnections } from './pending.ts'
import { createRates } from './rates.ts'

export interface LimitsComponents {
  clock: Clock
  log: Log
  events: Emitter<NetworkEvents>
  scoreTable: PeerScoreTable
  /** All connections that are established; none before the host is created. */
  connections(peer?: string): readonly Connection[]
  isStatic(peer: string): boolean
  /** The operator has blocked it. */
  isBlocked(peer: string): boolean
}

/** What unknown peers can make this node spend on connections and bytes, and which peers are refused. */
export interface Limits extends Disposable {
  readonly inbound: Inbound
  readonly maxConnections: number
  /** the library's bound for handshakes, which counts all addresses in one */
  readonly libraryPending: number
  readonly maxGossipFrameBytes: number
  /** pages and bytes of one round of sync */
  readonly exchange: { readonly pages: number; readonly bytes: number }
  /** The scores, and the exclusion of peers that go too far. */
  readonly peerScores: PeerScores
  guard(registrar: object): void
  /** Counts the frames of a connection from its first one on. */
  guardMuxer(muxer: StreamMuxer): void
  admit(address: string): boolean
  isExcluded(peer: string): boolean
  excludedForMs(peer: string): number
  checkScore(peer: string, score: number): void
  /** Ends the connections of a peer at once. */
  disconnect(peer: string, why: string): void
}

export function createLimits(components: LimitsComponents, init: NetworkInit): Limits {
  const { clock, log, events, scoreTable, isStatic } = components
  const without = new Set(init.without)
  const client = init.role === 'client'
  const maxConnections = init.maxConnections ?? (client ? bounds.MAX_CONNECTIONS_CLIENT : bounds.MAX_CONNECTIONS)
  const disconnect = (peer: string, why: string) => {
    for (const connection of components.connections(peer)) connection.abort(new Error(why))
  }
  const endAll = (peer: string) => disconnect(peer, 'the peer sent invalid data too often')
  const established = createEstablishedConnections(
    { clock, isStatic, connections: () => components.connections() },
    {
      max: maxConnections,
      perAddress: init.visibility === 'public' ? bounds.MAX_CONNECTIONS_PER_ADDRESS : undefined,
      idleMs: init.connectionIdleMs,
    },
  )
  const exclusion = createExclusion({ clock, log, events, scoreTable, isStatic, disconnect: endAll })
  const checkScore = (peer: string, score?: number) => {
    if (!without.has('exclusion')) exclusion.checkScore(peer, score)
  }
  const peerScores: PeerScores = {
    reward: (peer) => scoreTable.reward(peer),
    score: (peer) => scoreTable.score(peer),
    penalize(peer) {
      scoreTable.penalize(peer)
      checkScore(peer)
    },
  }
  const rates = createRates({
    clock,
    onExcess({ peer, protocol, reason }) {
      events.emit('network:refused', { peer, protocol, reason })
      peerScores.penalize(peer)
    },
  })
  const ownPending = !without.has('pending')
  const pending = createPendingConnections({
    max: ownPending ? bounds.MAX_PENDING_INBOUND : Number.POSITIVE_INFINITY,
    perAddress: ownPending ? bounds.MAX_PENDING_PER_ADDRESS : Number.POSITIVE_INFINITY,
  })

  return {
    inbound: createInbound({ clock, pending }),
    maxConnections,
    libraryPending: ownPending ? Number.POSITIVE_INFINITY : 64,
    maxGossipFrameBytes: without.has('frame-size') ? 4 * 1024 * 1024 : bounds.MAX_GOSSIP_FRAME_BYTES,
    exchange: without.has('exchange') ? ENDLESS : bounds.SYNC_EXCHANGE,
    peerScores,
    guard(registrar) {
      if (!without.has('rates')) rates.guard(registrar as Parameters<typeof rates.guard>[0])
    },
    guardMuxer(muxer) {
      if (without.has('muxer')) return
      guardMuxer(muxer as unknown as RawMuxer, clock, (reason) => {
        const peer = peerOfMuxer(components.connections(), muxer)
        // a connection that is not established yet only ends
        if (peer === undefined) return
        events.emit('network:refused', { peer, protocol: muxer.protocol, reason })
        peerScores.penalize(peer)
      })
    },
    admit: (address) => established.admit(address),
    isExcluded: (peer) => components.isBlocked(peer) || exclusion.leftMs(peer) > 0,
    excludedForMs: (peer) => exclusion.leftMs(peer),
    checkScore,
    disconnect,
    [Symbol.dispose]: () => established[Symbol.dispose](),
  }
}

function peerOfMuxer(connections: readonly Connection[], muxer: StreamMuxer): string | undefined {
  const owner = connections.find((connection) => (connection as unknown as { muxer?: StreamMuxer }).muxer === muxer)
  return owner?.remotePeer.toString()
}

const ENDLESS = { pages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
