import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { Siblings } from '../execution/index.ts'
import { connectTunnel, type Network } from '../network/index.ts'

/** A sibling that does not open a tunnel in this time is not there. */
const CONNECT_MS = 10_000

export interface NodeSiblings extends Siblings {
  /** Hands over who claims a run of a service: it is known later than what runs. */
  follow(claimants: Siblings['list']): void
}

/** The other runs of a service: nodes that claim one, and tunnels to their ports. */
export function createSiblings(
  { clock }: { clock: Clock },
  { peerId: self, streams }: Pick<Network, 'peerId' | 'streams'>,
): NodeSiblings {
  let claimants: Siblings['list'] = () => []
  return {
    self,
    follow(source) {
      claimants = source
    },
    list: (service) => claimants(service),
    async connect(service, peer, port, { signal }) {
      using limit = deadline(clock, CONNECT_MS, new TimeoutError('the sibling did not answer in time'), signal)
      return await connectTunnel(streams, peer, { v: 1, service: parseCid(service), port }, { signal: limit.signal })
    },
  }
}
