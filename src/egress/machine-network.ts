import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { EgressComponents } from './types.ts'

const CONNECT_MS = 10_000
const LOOKUP_MS = 15_000

/** Names and connections as the machine has them: its hosts file, its resolver, its routes. */
export function machineNetwork(
  clock: Clock,
  lookupAll = (host: string) => lookup(host, { all: true, order: 'verbatim' }),
): EgressComponents {
  return {
    async lookup(host) {
      // the system's resolver cannot be stopped: it is no longer waited for
      using limit = deadline(clock, LOOKUP_MS, new TimeoutError('the resolver does not answer in time'))
      return await raceSignal(lookupAll(host), limit.signal)
    },
    async open(address, port, { signal }) {
      const tooLong = new TimeoutError(`${address} does not answer at port ${port}`)
      using limit = deadline(clock, CONNECT_MS, tooLong, signal)
      const socket = connect({ host: address, port, signal: limit.signal })
      try {
        await once(socket, 'connect', { signal: limit.signal })
        return socket
      } catch (error) {
        socket.destroy()
        limit.signal.throwIfAborted()
        throw error
      }
    },
  }
}
