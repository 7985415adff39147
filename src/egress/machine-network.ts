import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { EgressComponents } from './types.ts'

const CONNECT_MS = 10_000
const LOOKUP_MS = 15_000
/** Resolving takes a thread of the few that files need, too, for as long as a resolver is silent. */
const MAX_LOOKUPS = 2
const MAX_WAITING = 256

/** Names and connections as the machine has them: its hosts file, its resolver, its routes. */
export function machineNetwork(
  clock: Clock,
  lookupAll = (host: string) => lookup(host, { all: true, order: 'verbatim' }),
  interfaces = networkInterfaces,
): EgressComponents {
  const lookups = createWorkQueue({ name: 'resolver', concurrency: MAX_LOOKUPS, max: MAX_WAITING })
  return {
    async lookup(host) {
      // the system's resolver cannot be stopped: it is no longer waited for
      using limit = deadline(clock, LOOKUP_MS, new TimeoutError('the resolver does not answer in time'))
      return await raceSignal(
        lookups.add(() => lookupAll(host)),
        limit.signal,
      )
    },
    async open(address, port, { signal }) {
      const tooLong = new TimeoutError(`${address} does not answer at port ${port}`)
      using limit = deadline(clock, CONNECT_MS, tooLong, signal)
      const socket = connect({ host: address, port, signal: limit.signal, allowHalfOpen: true })
      try {
        await once(socket, 'connect', { signal: limit.signal })
        return socket
      } catch (error) {
        socket.destroy()
        limit.signal.throwIfAborted()
        throw error
      }
    },
    // of IPv4 only its own: neighbours at a public address of it have one for everyone, and no router of ours before them
    ownNetworks: () =>
      Object.values(interfaces()).flatMap((found = []) =>
        found.map(({ family, address, cidr }) => (family === 'IPv6' ? (cidr ?? address) : address)),
      ),
  }
}
