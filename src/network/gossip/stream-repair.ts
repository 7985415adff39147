import type { Connection } from '@libp2p/interface'
import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { GOSSIP_REPAIR_MS } from '../constants.ts'

export interface RepairComponents {
  clock: Clock
  log: Log
  connections(): Connection[]
  /** Has gossipsub a stream to this peer? */
  hasStream(peer: string): boolean
  /** Does the peer speak gossipsub, or has it not said yet? */
  speaks(connection: Connection): Promise<boolean>
  identify(connection: Connection): Promise<unknown>
}

/** Checks to skip for a peer after a failed identify; doubled each time. */
const MAX_PATIENCE = 64

/**
 * gossipsub writes to a peer over one stream of one connection. When that connection ends while another to the same peer
 * lives on (both sides dialled at once, or one was half dead after a partition), or when a late notice of an old
 * connection's end removes a peer that is back already, the peer stays connected and receives nothing any more. A connected
 * peer without this stream in two checks is identified again, which makes gossipsub open one.
 */
export function keepGossipStreams({ clock, log, connections, hasStream, speaks, identify }: RepairComponents): Timer {
  let missing = new Set<string>()
  const tried = new WeakMap<Connection, { patience: number; left: number }>()
  const repair = async (connection: Connection) => {
    const { patience, left } = tried.get(connection) ?? { patience: 1, left: 0 }
    if (left > 0) return void tried.set(connection, { patience, left: left - 1 })
    tried.set(connection, { patience: Math.min(2 * patience, MAX_PATIENCE), left: patience })
    if (await speaks(connection)) await identify(connection)
  }
  return clock.every(GOSSIP_REPAIR_MS, () => {
    const seen = missing
    missing = new Set()
    for (const connection of connections()) {
      const peer = connection.remotePeer.toString()
      if (connection.status !== 'open' || hasStream(peer) || missing.has(peer)) continue
      missing.add(peer)
      if (!seen.has(peer)) continue
      repair(connection).catch((error: unknown) => {
        log.debug('a neighbour without a gossip stream could not be identified again', {
          peer,
          error: messageOf(error),
        })
      })
    }
  })
}
