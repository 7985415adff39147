import type { Connection, Stream } from '@libp2p/interface'
import { NEIGHBOUR_PROTOCOL } from '../../../protocols/streams/neighbour.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { NEIGHBOUR_TRIES, NEIGHBOUR_WAIT_MS } from '../constants.ts'
import { StreamBrokenError } from '../errors.ts'
import type { Host } from '../host/create-host.ts'
import { type GossipRegistrar, type Membership, restrictGossip } from './gossip-only.ts'

export interface NeighboursComponents {
  clock: Clock
  log: Log
  /** The operator named it. */
  isStatic(peer: string): boolean
}

/** The peers of gossip and sync: all connected ones, or only those that one of the two sides names. */
export interface Neighbours {
  includes(peer: string): boolean
  /** Before gossipsub registers: it meets neighbours only. */
  guard(registrar: object): void
  /** The host was created. */
  attach(host: Host): Promise<AsyncDisposable>
  /** This node names the peer, and notifies it on each connection while that holds. */
  name(peer: string): void
  /** As `name`, for a static node: it is one as long as `isStatic` says so. */
  nameStatic(peer: string): void
  /** Calls back whenever a peer became a neighbour while it is connected. */
  onJoin(listener: (peer: string) => void): void
}

export function createNeighbours(
  { clock, log, isStatic }: NeighboursComponents,
  init: { onlyNamed: boolean },
): Neighbours {
  const named = new Set<string>()
  const declared = new Set<string>()
  const listeners: ((peer: string) => void)[] = []
  let host: Host | undefined

  const isNamed = (peer: string) => named.has(peer) || isStatic(peer)
  const includes = (peer: string) => !init.onlyNamed || isNamed(peer) || declared.has(peer)
  const joined = (peer: string) => {
    for (const listener of listeners) listener(peer)
  }
  /** A peer's notice that it names this node may follow its first stream. */
  const waitUntilIncluded: Membership['waitUntilIncluded'] = async (peer) => {
    const until = clock.monotonic() + NEIGHBOUR_WAIT_MS
    while (!includes(peer) && clock.monotonic() < until) await sleep(clock, 50)
    return includes(peer)
  }
  const declare = async (connection: Connection) => {
    for (let tries = 1; connection.status === 'open'; tries++) {
      try {
        const stream = await connection.newStream(NEIGHBOUR_PROTOCOL, { runOnLimitedConnection: true })
        return await stream.close()
      } catch (error) {
        const peer = connection.remotePeer.toString()
        log.debug('a neighbour could not be notified that this node names it', { peer, error: messageOf(error) })
        if (tries >= NEIGHBOUR_TRIES || (error as Error).name === 'UnsupportedProtocolError') return
        await sleep(clock, NEIGHBOUR_WAIT_MS / NEIGHBOUR_TRIES)
      }
    }
  }

  return {
    includes,
    guard(registrar) {
      if (!init.onlyNamed) return
      const { join } = restrictGossip(registrar as GossipRegistrar, { includes, waitUntilIncluded })
      listeners.push((peer) => {
        const connection = host?.getConnections().find(({ remotePeer }) => remotePeer.toString() === peer)
        if (connection !== undefined) join(connection)
      })
    },
    async attach(libp2p) {
      host = libp2p
      const onOpen = ({ detail: connection }: { detail: Connection }) => {
        if (isNamed(connection.remotePeer.toString())) void declare(connection)
      }
      const onDisconnect = ({ detail }: { detail: { toString(): string } }) => void declared.delete(detail.toString())
      libp2p.addEventListener('connection:open', onOpen)
      libp2p.addEventListener('peer:disconnect', onDisconnect)
      const onDeclared = (stream: Stream, { remotePeer, status }: Connection) => {
        const peer = remotePeer.toString()
        stream.close().catch(() => stream.abort(new StreamBrokenError('nothing is sent on this protocol')))
        if (status !== 'open' || declared.has(peer)) return
        declared.add(peer)
        joined(peer)
      }
      await libp2p.handle(NEIGHBOUR_PROTOCOL, onDeclared, { runOnLimitedConnection: true })
      return {
        async [Symbol.asyncDispose]() {
          libp2p.removeEventListener('connection:open', onOpen)
          libp2p.removeEventListener('peer:disconnect', onDisconnect)
          await libp2p.unhandle(NEIGHBOUR_PROTOCOL)
        },
      }
    },
    name(peer) {
      named.add(peer)
      notify(peer)
    },
    nameStatic: notify,
    onJoin: (listener) => void listeners.push(listener),
  }

  function notify(peer: string): void {
    for (const connection of host?.getConnections() ?? []) {
      if (connection.remotePeer.toString() === peer) void declare(connection)
    }
    joined(peer)
  }
}
