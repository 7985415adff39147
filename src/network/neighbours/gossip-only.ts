import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { StreamBrokenError } from '../errors.ts'

export type Membership = {
  includes(peer: string): boolean
  /** The same, for a peer that has just come and may yet say that it is one. */
  waitUntilIncluded(peer: string): Promise<boolean>
}

type Topology = { onConnect?(peer: PeerId, connection: Connection): void; onDisconnect?(peer: PeerId): void }
type Handler = (stream: Stream, connection: Connection) => unknown
export type GossipRegistrar = {
  register(protocol: string, topology: Topology): Promise<string>
  handle(protocol: string, handler: Handler, options?: object): Promise<void>
}

/** Gossipsub meets those peers only that are neighbours; to all others this node does not speak it. */
export function restrictGossip(registrar: GossipRegistrar, { includes, waitUntilIncluded }: Membership) {
  const register = registrar.register.bind(registrar)
  const handle = registrar.handle.bind(registrar)
  let gossip: Topology | undefined

  registrar.register = (protocol, topology) => {
    if (!isGossip(protocol)) return register(protocol, topology)
    gossip ??= topology
    const onConnect: Topology['onConnect'] = (peer, connection) => {
      if (includes(peer.toString())) topology.onConnect?.(peer, connection)
    }
    return register(protocol, { ...topology, onConnect })
  }
  registrar.handle = (protocol, handler, options) => {
    if (!isGossip(protocol)) return handle(protocol, handler, options)
    const guarded: Handler = async (stream, connection) => {
      const isNeighbour = await waitUntilIncluded(connection.remotePeer.toString())
      if (isNeighbour) return void (await handler(stream, connection))
      stream.abort(new StreamBrokenError('this node gossips with the nodes that it names, and with those that name it'))
    }
    return handle(protocol, guarded, options)
  }
  return {
    /** A peer that was connected before has become a neighbour. */
    join: (connection: Connection) => gossip?.onConnect?.(connection.remotePeer, connection),
  }
}

function isGossip(protocol: string): boolean {
  return /^\/(meshsub|floodsub)\//.test(protocol)
}
