import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import { createNameLookup, machineResolver, type NameLookupInit } from './name-lookup.ts'
import type { EgressComponents } from './types.ts'

const CONNECT_MS = 10_000

/** Names and connections as the machine has them: its hosts file, its resolver, its routes. */
export function machineNetwork(
  clock: Clock,
  names: Partial<Omit<NameLookupInit, 'clock'>> = machineResolver(),
  interfaces = networkInterfaces,
): EgressComponents {
  const system = (host: string) => lookup(host, { all: true, order: 'verbatim' })
  return {
    lookup: createNameLookup({ clock, system, ...names }),
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
