import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import { DIAL_TIMEOUT_MS, RANDOM_WALK_TIMEOUT_MS, REDIAL, STATIC_PEER_TAG } from '../constants.ts'
import type { NetworkEvents } from '../events.ts'
import { parseMultiaddr, parsePeerId } from '../host/address.ts'
import type { Host } from '../host/create-host.ts'
import type { NetworkInit } from '../types.ts'
import { startPeerDiscovery } from './peer-discovery.ts'
import { checkStaticNode, maintainConnection, type StaticNodeComponents } from './static-node.ts'

export interface PeerManagerComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<NetworkEvents>
  libp2p: Host
  allow(address: string): void
  /** ms for which the peer is refused, because it misbehaved too often */
  excludedForMs(peer: string): number
  /** The operator has blocked it. */
  isBlocked(peer: string): boolean
  /** The peer behind a static node is known. */
  named(peer: string): void
}

export interface PeerManager extends AsyncDisposable {
  start(): void
  setStaticNodes(nodes: readonly string[]): void
  isStatic(peer: string): boolean
}

/** Keeps this node in company: static nodes for ever, others up to the low-water mark. */
export function createPeerManager(
  { clock, rng, log, events, libp2p, allow, excludedForMs, isBlocked, named }: PeerManagerComponents,
  init: Pick<NetworkInit, 'staticNodes' | 'keepPeers' | 'redial'>,
): PeerManager {
  const cleanup = new AsyncDisposableStack()
  const over = new AbortController()
  const kept = new Map<string, { stop: AbortController; done: Promise<void>; peer?: string }>()
  let nodes = checked(init.staticNodes ?? [])
  let started = false

  const connected = () => new Set(libp2p.getPeers().map(String))
  const leaving = new Map<string, Set<() => void>>()
  const onDisconnect = ({ detail }: { detail: { toString(): string } }) => {
    const peer = detail.toString()
    for (const resolve of leaving.get(peer) ?? []) resolve()
  }
  libp2p.addEventListener('peer:disconnect', onDisconnect)
  cleanup.defer(() => libp2p.removeEventListener('peer:disconnect', onDisconnect))

  const common: Omit<StaticNodeComponents, 'mark'> = {
    clock,
    rng,
    log,
    events,
    self: libp2p.peerId.toString(),
    excludedForMs,
    isBlocked,
    isConnected: (peer) => libp2p.getConnections(parsePeerId(peer)).length > 0,
    async disconnected(peer, signal) {
      const listeners = leaving.get(peer) ?? new Set()
      leaving.set(peer, listeners)
      const { promise, resolve } = Promise.withResolvers<void>()
      listeners.add(resolve)
      if (libp2p.getConnections(parsePeerId(peer)).length === 0) resolve()
      // the caller looks at the signal
      await raceSignal(promise, signal).catch(() => {})
      listeners.delete(resolve)
      if (listeners.size === 0) leaving.delete(peer)
    },
    async dial(addresses, options) {
      for (const address of addresses) allow(address)
      try {
        const connection = await libp2p.dial(addresses.map(parseMultiaddr), options)
        return connection.remotePeer.toString()
      } catch (error) {
        // an address without a peer id shows whose it is only when it is dialled
        if (messageOf(error) === 'Can not dial self') return libp2p.peerId.toString()
        throw error
      }
    },
  }
  const keep = (target: string) => {
    const stop = new AbortController()
    const entry: { stop: AbortController; done: Promise<void>; peer?: string } = { stop, done: Promise.resolve() }
    const mark = (peer: string) => {
      entry.peer = peer
      named(peer)
      const tags = { [STATIC_PEER_TAG.name]: { value: STATIC_PEER_TAG.value } }
      libp2p.peerStore.merge(parsePeerId(peer), { tags }).catch(() => {})
    }
    entry.done = maintainConnection({ ...common, mark }, target, {
      backoff: init.redial ?? REDIAL,
      signal: stop.signal,
    })
    entry.done.catch((error: unknown) => log.error('a static node is not kept any more', { target, error }))
    kept.set(target, entry)
  }
  const apply = () => {
    for (const [target, { stop }] of kept) {
      if (nodes.has(target)) continue
      stop.abort(new Error('not static any more'))
      kept.delete(target)
    }
    for (const target of nodes) if (!kept.has(target)) keep(target)
  }

  return {
    start() {
      started = true
      apply()
      if (init.keepPeers === false) return
      const fill = startPeerDiscovery(
        {
          clock,
          rng,
          log,
          connected,
          known: async () => {
            const peers = await libp2p.peerStore.all()
            return peers
              .filter(({ id, addresses }) => addresses.length > 0 && !id.equals(libp2p.peerId))
              .map(({ id }) => id.toString())
          },
          discover: () => randomWalk(libp2p, clock, rng, over.signal),
          async dial(peer) {
            using limit = deadline(clock, DIAL_TIMEOUT_MS, new TimeoutError('the dial took too long'), over.signal)
            await libp2p.dial(parsePeerId(peer), { signal: limit.signal })
          },
        },
        init.keepPeers ?? {},
      )
      cleanup.use(fill)
      void fill.look()
    },
    setStaticNodes(list) {
      nodes = checked(list)
      if (started) apply()
    },
    isStatic: (peer) => [...kept.values()].some((entry) => entry.peer === peer),
    async [Symbol.asyncDispose]() {
      const reason = new Error('the node is stopping')
      over.abort(reason)
      for (const { stop } of kept.values()) stop.abort(reason)
      await cleanup.disposeAsync()
      await Promise.allSettled([...kept.values()].map(({ done }) => done))
    },
  }
}

/** A lookup of a random key meets peers all over the network; libp2p remembers them. */
async function randomWalk({ services }: Host, clock: Clock, rng: Rng, signal: AbortSignal): Promise<void> {
  if (services.dht === undefined) return
  using limit = deadline(clock, RANDOM_WALK_TIMEOUT_MS, new TimeoutError('the walk took too long'), signal)
  for await (const _ of services.dht.getClosestPeers(rng.bytes(32), { signal: limit.signal }));
}

function checked(nodes: readonly string[]): ReadonlySet<string> {
  for (const node of nodes) checkStaticNode(node)
  return new Set(nodes)
}
