import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { Siblings } from '../execution/index.ts'
import { connectTunnel, type Network } from '../network/index.ts'

/** A sibling that does not open a tunnel in this time is not there. */
const CONNECT_MS = 10_000

export interface NodeSiblings extends Siblings {
  /** Peers that a run of the service has a tunnel to. */
  inUse(service: string): ReadonlySet<string>
  /** Hands over who claims a run of a service: it is known later than what runs. */
  follow(claimants: Siblings['list']): void
}

/** The other runs of a service: nodes that claim one, and tunnels to their ports. */
export function createSiblings(
  { clock }: { clock: Clock },
  { peerId: self, streams }: Pick<Network, 'peerId' | 'streams'>,
): NodeSiblings {
  let claimants: Siblings['list'] = () => []
  const tunnels = new Set<{ readonly service: string; readonly peer: string }>()
  return {
    self,
    follow(source) {
      claimants = source
    },
    list: (service) => claimants(service),
    inUse: (service) => new Set([...tunnels].flatMap((one) => (one.service === service ? [one.peer] : []))),
    async connect(service, peer, port, { signal }) {
      using limit = deadline(clock, CONNECT_MS, new TimeoutError('the sibling did not answer in time'), signal)
      const hello = { v: 1, service: parseCid(service), port } as const
      const tunnel = await connectTunnel(streams, peer, hello, { signal: limit.signal })
      const one = { service, peer }
      tunnels.add(one)
      tunnel.once('close', () => tunnels.delete(one))
      return tunnel
    },
  }
}
