import { type Clock, sleep } from '../../base/clock.ts'
import { createPair, type Pair } from './connection-pair.ts'
import type { Address, Incoming, Wire, WireInit } from './types.ts'

const FIRST_EPHEMERAL_PORT = 32_768
/** Until a connection is asked for again where no answer comes; doubled each time. */
const FIRST_RETRY_MS = 1000

export function createWire(clock: Clock, { linkOf, delayMs = () => 0 }: WireInit): Wire {
  const listeners = new Map<string, Incoming>()
  /** the part of the network that a host is in; those that are not here are in the first one */
  const parts = new Map<string, number>()
  /** when the last bit that a host sent has left it */
  const leftAt = new Map<string, number>()
  const pairs = new Set<Pair>()
  let cuts = 0
  let port = FIRST_EPHEMERAL_PORT
  const keyOf = ({ host, port }: Address) => `${host}:${port}`
  const reaches = (a: string, b: string) => (parts.get(a) ?? 0) === (parts.get(b) ?? 0)

  return {
    listen(address, onConnection) {
      const key = keyOf(address)
      if (listeners.has(key)) throw new Error(`listen EADDRINUSE: address already in use ${key}`)
      listeners.set(key, onConnection)
      return {
        [Symbol.dispose]() {
          // another one may have it by now
          if (listeners.get(key) === onConnection) listeners.delete(key)
        },
      }
    },
    async connect(host, to, { signal }) {
      const link = linkOf(host, to.host)
      await sleep(clock, 2 * link.latencyMs, { signal })
      for (let retryMs = FIRST_RETRY_MS; !reaches(host, to.host); retryMs *= 2) await sleep(clock, retryMs, { signal })
      const onConnection = listeners.get(keyOf(to))
      if (onConnection === undefined) throw new Error(`connect ECONNREFUSED ${keyOf(to)}`)
      const hosts = [host, to.host] as const
      const pair = createPair(clock, { link, hosts, leftAt, delayMs, reaches, onEnd: () => void pairs.delete(pair) })
      pairs.add(pair)
      const [mine, theirs] = pair.ends
      onConnection(theirs, { host, port: port++ })
      return mine
    },
    cut(hosts) {
      cuts++
      for (const host of hosts) parts.set(host, cuts)
    },
    heal(hosts) {
      if (hosts === undefined) parts.clear()
      else for (const host of hosts) parts.delete(host)
      for (const pair of pairs) pair.onHealed()
    },
  }
}
