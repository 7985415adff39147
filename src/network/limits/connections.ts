import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { CONNECTION_IDLE_MS, CONNECTION_SWEEP_MS } from '../constants.ts'
import { addressGroup } from '../host/address.ts'

export interface ConnectionsComponents {
  clock: Clock
  /** All that are established. */
  connections(): readonly Connection[]
  /** Its operator named the peer: its connections are not evicted, nor closed for being idle. */
  isStatic(peer: string): boolean
}

export type ConnectionsInit = {
  readonly max: number
  /** of one address; none on a private network, where all may have the same */
  readonly perAddress?: number | undefined
  readonly idleMs?: number | undefined
}

/** The established connections: which peers may have one, and which is closed when there are too many, or when it is idle. */
export interface EstablishedConnections extends Disposable {
  /** May one more come from this address? Where all places are taken, another may have to go for it. */
  admit(address: string): boolean
}

export function createEstablishedConnections(
  { clock, connections, isStatic }: ConnectionsComponents,
  { max, perAddress = Number.POSITIVE_INFINITY, idleMs = CONNECTION_IDLE_MS }: ConnectionsInit,
): EstablishedConnections {
  const idleSince = new WeakMap<Connection, number>()

  const sweep = () => {
    const now = clock.monotonic()
    for (const connection of connections()) {
      if (isUsed(connection) || isStatic(connection.remotePeer.toString())) {
        idleSince.delete(connection)
        continue
      }
      const since = idleSince.get(connection) ?? now
      idleSince.set(connection, since)
      if (now - since >= idleMs) connection.close().catch((error: Error) => connection.abort(error))
    }
  }
  const timer = clock.every(Math.min(CONNECTION_SWEEP_MS, idleMs), sweep)

  const byAddress = () => {
    const groups = new Map<string, Connection[]>()
    for (const connection of connections()) {
      if (connection.direction !== 'inbound') continue
      const group = addressGroup(connection.remoteAddr)
      groups.set(group, [...(groups.get(group) ?? []), connection])
    }
    return groups
  }
  /** The one that does least; of several the newest, which has proven least. */
  const closeOneOf = (group: readonly Connection[], mayBeUsed: boolean): boolean => {
    const [evicted] = group
      .filter((one) => !isStatic(one.remotePeer.toString()) && (mayBeUsed || !isUsed(one)))
      .toSorted((a, b) => streamsOf(a) - streamsOf(b) || b.timeline.open - a.timeline.open)
    evicted?.abort(new Error('its place was needed'))
    return evicted !== undefined
  }

  return {
    admit(address) {
      const total = connections().length
      if (total < max && perAddress === Number.POSITIVE_INFINITY) return true
      const groups = byAddress()
      const own = groups.get(address) ?? []
      if (own.length >= perAddress) return closeOneOf(own, false)
      if (total < max) return true
      const [greediest = []] = [...groups.values()].toSorted((a, b) => b.length - a.length)
      // an address that has less than its share displaces one that has more, whatever that one does
      if (greediest.length > own.length + 1) return closeOneOf(greediest, true)
      return [...groups.values()].some((group) => group.length >= own.length && closeOneOf(group, false))
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}

/** Pings and identification say nothing about use. */
function streamsOf({ streams }: Connection): number {
  return streams.filter(({ protocol }) => !/^\/ipfs\/(ping|id)\//.test(protocol) && protocol !== '').length
}

function isUsed(connection: Connection): boolean {
  return streamsOf(connection) > 0
}
