import type { Clock } from '../../base/clock.ts'
import { createKeyedRateLimiter } from '../../base/token-bucket.ts'
import {
  HOP_ADDRESSES,
  HOP_REQUESTS,
  MAX_CIRCUITS,
  MAX_CIRCUITS_PER_DESTINATION,
  MAX_CIRCUITS_PER_SOURCE,
  MAX_RESERVATIONS_PER_ADDRESS,
} from './constants.ts'

export interface RelayBoundsComponents {
  clock: Clock
  /** The addresses from which reservations were made, one for each reservation but the peer's own. */
  reservedFrom(exceptPeer: string): readonly string[]
  /** What counts as one address, for a peer that is connected directly. */
  addressOf(peer: string): string | undefined
  /** It misbehaved, or the operator has blocked it. */
  isExcluded(peer: string): boolean
}

/** What strangers may have relayed here, beside the number of reservations, which the library bounds. */
export interface RelayBounds {
  mayReserve(peer: string): boolean
  mayConnect(source: string, destination: string): boolean
  /** A stream on which a peer asks for something. Undefined: it is one too many. Dispose when it has ended. */
  enterHop(peer: string, address: string): Disposable | undefined
  /** A circuit to a peer. Dispose when it has ended. */
  enterCircuit(destination: string): Disposable
  readonly circuits: number
  readonly bytes: number
  countBytes(bytes: number): void
}

export function createRelayBounds(
  { clock, reservedFrom, addressOf, isExcluded }: RelayBoundsComponents,
  init: { readonly perAddress: boolean },
): RelayBounds {
  const requests = createKeyedRateLimiter(clock, HOP_REQUESTS, HOP_ADDRESSES)
  const sources = createTally()
  const destinations = createTally()
  let bytes = 0

  return {
    mayReserve(peer) {
      if (isExcluded(peer)) return false
      const address = addressOf(peer)
      if (address === undefined) return false
      if (!init.perAddress) return true
      return reservedFrom(peer).filter((other) => other === address).length < MAX_RESERVATIONS_PER_ADDRESS
    },
    mayConnect: (source, destination) =>
      !isExcluded(source) &&
      !isExcluded(destination) &&
      destinations.total < MAX_CIRCUITS &&
      destinations.of(destination) < MAX_CIRCUITS_PER_DESTINATION,
    enterHop(peer, address) {
      if (!requests.take(address)) return undefined
      return sources.of(peer) >= MAX_CIRCUITS_PER_SOURCE ? undefined : sources.enter(peer)
    },
    enterCircuit: (destination) => destinations.enter(destination),
    get circuits() {
      return destinations.total
    },
    get bytes() {
      return bytes
    },
    countBytes(more) {
      bytes += more
    },
  }
}

/** Counts what is open, by name; what is not open is not remembered. */
function createTally() {
  const counts = new Map<string, number>()
  let total = 0
  return {
    of: (name: string) => counts.get(name) ?? 0,
    get total() {
      return total
    },
    enter(name: string): Disposable {
      let left = false
      counts.set(name, (counts.get(name) ?? 0) + 1)
      total++
      return {
        [Symbol.dispose]() {
          if (left) return
          left = true
          total--
          const rest = (counts.get(name) ?? 1) - 1
          if (rest > 0) counts.set(name, rest)
          else counts.delete(name)
        },
      }
    },
  }
}
