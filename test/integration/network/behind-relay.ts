import type { MessageStream } from '../../../src/base/stream.ts'
import type { RelayInit } from '../../../src/network/reachability/types.ts'
import { addressOf, type createNetworks, messages, type TestNetwork, until } from './fixtures.ts'

export const MIB = 1024 * 1024
export const RELAY: RelayInit = { reservations: 2, bytes: 64 * MIB, seconds: 600, rate: 64 * MIB }

/** Where it can be dialled through relays. */
export const circuitsOf = ({ network }: TestNetwork) =>
  network.multiaddrs().filter((address) => address.includes('/p2p-circuit'))

/** What it relays for others. */
export const relaying = ({ network }: TestNetwork) => network.reachability().relaying

/** A relay that takes no part in gossip, and a node that no other has dialled, with a reservation there. (127.0.0.1 is not outside.) */
export async function behindRelay(all: ReturnType<typeof createNetworks>, relay = RELAY) {
  const middle = await all.make({ relay, join: false })
  const natted = await all.make({ staticNodes: [addressOf(middle)], reserveAfterMs: 0 })
  await until(() => circuitsOf(natted).length === 1, 'a reservation at the relay')
  return { middle, natted, circuit: circuitsOf(natted)[0] as string }
}

/** A handler that answers each message with so many bytes. */
export const answerWith = (bytes: number) => async (stream: MessageStream) => {
  for await (const _ of messages(stream)) await stream.write(new Uint8Array(bytes))
}
