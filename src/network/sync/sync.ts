import type { CID } from '../../../protocols/encoding.ts'
import { MAX_REQUEST_BYTES } from '../../../protocols/limits.ts'
import { SYNC_PROTOCOL } from '../../../protocols/streams/sync.ts'
import { type Clock, deadline, type Timer } from '../../base/clock.ts'
import { messageOf, NotFoundError, TimeoutError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { Rng } from '../../base/rng.ts'
import type { StatementSource } from '../../base/statement-sync.ts'
import { createWorkQueue, QueueFullError } from '../../base/work-queue.ts'
import {
  OFFER_CONCURRENCY,
  SYNC_CONCURRENCY,
  SYNC_EVERY_MS,
  SYNC_EXCHANGE,
  SYNC_PEER_GAP_MS,
  SYNC_PEERS,
  SYNC_PULLS_PER_PEER_PER_MINUTE,
  SYNC_QUEUE,
  SYNC_ROUND_TIMEOUT_MS,
} from '../constants.ts'
import type { NetworkEvents } from '../events.ts'
import type { PeerScores, Streams, Sync, SyncSource } from '../types.ts'
import { createSyncClient } from './client.ts'
import { createOfferBatcher } from './offer-batcher.ts'
import { createSyncRateLimits } from './rate-limits.ts'
import { createSyncServer } from './server.ts'

export interface SyncComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<NetworkEvents>
  streams: Streams
  peerScores: PeerScores
  /** Connected peers that speak a protocol. */
  peersSupporting(protocol: string): Promise<string[]>
  /** The peers of sync. */
  neighbours: { includes(peer: string): boolean }
}

export type SyncInit = {
  readonly everyMs?: number | undefined
  readonly pullsPerMinute?: number | undefined
  readonly exchange?: { readonly pages: number; readonly bytes: number } | undefined
}

/** What is served and filled; what is missing is neither asked for nor offered. */
export type SyncSources = {
  readonly services?: SyncSource | undefined
  readonly statements?: StatementSource | undefined
}

export type RunningSync = Sync &
  AsyncDisposable & {
    /** Serves sync and begins the regular rounds. */
    start(sources: SyncSources): Promise<void>
    /** A neighbour is there and speaks the protocol. */
    onPeerConnected(peer: string): void
  }

export function createSync(components: SyncComponents, init: SyncInit): RunningSync {
  const { clock, rng, log, events, streams, peerScores, peersSupporting, neighbours } = components
  const over = new AbortController()
  const exchange = init.exchange ?? SYNC_EXCHANGE
  let served: SyncSources | undefined
  let client = createSyncClient({ streams, source: NOTHING, statements: NO_STATEMENTS, peerScores, exchange })
  const rounds = createWorkQueue({ name: 'sync', concurrency: SYNC_CONCURRENCY, max: SYNC_QUEUE })
  // offers are short and urgent: they do not wait behind whole rounds
  const offers = createWorkQueue({ name: 'offers', concurrency: OFFER_CONCURRENCY, max: SYNC_QUEUE })
  const rateLimits = createSyncRateLimits(
    () => clock.monotonic(),
    init.pullsPerMinute ?? SYNC_PULLS_PER_PEER_PER_MINUTE,
  )
  const lastRound = new LruMap<string, number>(SYNC_PEERS)
  /** Neighbours that came back too soon: their rounds are owed. */
  const owed = new Map<string, Timer>()
  const cleanup = new AsyncDisposableStack()

  /** Work of sync's own accord: bounded in number and time, its failures do not matter. */
  const quietly = (peer: string, work: (signal: AbortSignal) => Promise<unknown>, queue = rounds) => {
    const job = queue.add(async () => {
      using limit = deadline(clock, SYNC_ROUND_TIMEOUT_MS, new TimeoutError('sync took too long'), over.signal)
      await work(limit.signal)
    })
    job.catch((error: unknown) => {
      if (over.signal.aborted) return
      if (error instanceof QueueFullError)
        events.emit('network:refused', { peer, protocol: SYNC_PROTOCOL, reason: error.message })
      else log.debug('sync with a neighbour failed', { peer, error: messageOf(error) })
    })
    return job.catch(() => {})
  }
  const round = async (peer: string, options: { signal?: AbortSignal | undefined } = {}) => {
    lastRound.set(peer, clock.monotonic())
    // beside one another: neither quotas and failures of the one nor its length keep the other back
    const [ofServices, ofStatements] = await Promise.allSettled([
      served?.services === undefined ? NONE : client.services(peer, options),
      served?.statements === undefined ? NONE : client.statements(peer, options),
    ])
    if (ofStatements.status === 'rejected') {
      log.debug('no statements came from a neighbour', { peer, error: messageOf(ofStatements.reason) })
    }
    const statements = ofStatements.status === 'fulfilled' ? ofStatements.value : NONE
    const result = ofServices.status === 'fulfilled' ? ofServices.value : NONE
    if (ofServices.status === 'fulfilled' || statements.listed > 0) {
      events.emit('network:synced', {
        peer,
        ...result,
        statementsListed: statements.listed,
        statementsPulled: statements.pulled,
      })
    }
    if (ofServices.status === 'rejected') throw ofServices.reason
    return result.pulled
  }
  const pullLater = (peer: string, ids: readonly CID[]) =>
    void quietly(peer, (signal) => client.pull(peer, ids, { signal }))
  const offer = createOfferBatcher(
    clock,
    (peer, items) => quietly(peer, (signal) => client.offer(peer, items, { signal }), offers),
    over.signal,
  )
  const begin = (peer: string) => {
    lastRound.set(peer, clock.monotonic())
    void quietly(peer, (signal) => round(peer, { signal }))
  }
  /** What either side learned while the other was away would wait for a round by chance. */
  const owe = (peer: string, waitMs: number) => {
    if (owed.has(peer) || owed.size >= SYNC_QUEUE) return
    const due = clock.after(waitMs, () => {
      owed.delete(peer)
      void quietly(peer, async (signal) => {
        const connected = await peersSupporting(SYNC_PROTOCOL)
        if (connected.includes(peer) && neighbours.includes(peer)) await round(peer, { signal })
      })
    })
    owed.set(peer, due)
  }
  const roundWithAnyone = async () => {
    const peers = await peersSupporting(SYNC_PROTOCOL)
    const peer = peers[rng.int(Math.max(1, peers.length))]
    if (peer !== undefined) await quietly(peer, (signal) => round(peer, { signal }))
  }

  return {
    async start(sources) {
      if (sources.services === undefined && sources.statements === undefined) return
      const { services: source = NOTHING, statements = NO_STATEMENTS } = sources
      served = sources
      client = createSyncClient({ streams, source, statements, peerScores, exchange })
      const serve = createSyncServer({ events, source, statements, peerScores, rateLimits, neighbours, pullLater })
      cleanup.use(await streams.handle(SYNC_PROTOCOL, serve, { maxMessageBytes: MAX_REQUEST_BYTES, maxInbound: 8 }))
      const everyMs = init.everyMs ?? SYNC_EVERY_MS
      // nodes that started together do not stay in step
      cleanup.use(clock.every(everyMs * (0.75 + rng.fraction() / 2), () => void roundWithAnyone()))
    },
    onPeerConnected(peer) {
      if (served === undefined || !neighbours.includes(peer)) return
      const isUnfinished = client.isUnfinished(peer)
      const gapMs = isUnfinished ? SYNC_EVERY_MS : SYNC_PEER_GAP_MS
      const waitMs = (lastRound.get(peer) ?? Number.NEGATIVE_INFINITY) + gapMs - clock.monotonic()
      if (waitMs <= 0) begin(peer)
      // a peer that lists without an end is not asked more often for coming back, and holds no place of those that may be
      else if (!isUnfinished) owe(peer, waitMs)
    },
    async offer(items) {
      if (items.length === 0) return
      const peers = await peersSupporting(SYNC_PROTOCOL)
      await Promise.all(peers.map((peer) => offer(peer, items).catch(() => {})))
    },
    pullFrom: (peer, ids, options) => client.pull(peer, ids, options),
    tell: (peer, announcement, options) => client.tell(peer, announcement, options),
    with: round,
    async [Symbol.asyncDispose]() {
      over.abort(new Error('the node is stopping'))
      for (const timer of owed.values()) timer.cancel()
      await cleanup.disposeAsync()
      await Promise.all([rounds.idle(), offers.idle()])
    },
  }
}

/** A peer that does not serve sync can still ask one for a list or send it something. */
const NOTHING: SyncSource = {
  list: () => [],
  get: () => undefined,
  wants: () => [],
  arrive: async () => {
    throw new NotFoundError('this peer takes no announcements in')
  },
}

const NO_STATEMENTS: StatementSource = {
  list: () => [],
  get: () => undefined,
  wants: () => [],
  arrive: async () => {},
}

const NONE = { listed: 0, pulled: 0 }
