import { peerIdOf } from '../../../protocols/address.ts'
import { createApiClient } from '../../api/client/client.ts'
import { loadConfiguration, loadIdentity } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { findOperatorSocket } from '../operator-socket.ts'

/** Neighbours that a restored node asks for the original: any of them knows the way to it. */
const MAX_NEIGHBOURS = 16

export type ReachableAt = { readonly multiaddrs: readonly string[]; readonly neighbours: readonly string[] }

/** Where a node is reached, and other nodes of its mesh: as the running node says, else as its settings do. */
export async function reachableAt({ env, clock, signal }: Cli, folder: string): Promise<ReachableAt> {
  const { configuration } = await loadConfiguration(folder, { env, signal })
  const named = configuration.policy.staticNodes.multiaddrs
  const socketPath = await findOperatorSocket(folder, env)
  if (socketPath === undefined) {
    const { signer } = await loadIdentity(folder, { signal })
    const own = [...configuration.announce, ...configuration.listen.filter((address) => !/\/tcp\/0$/.test(address))]
    return { multiaddrs: own.map((address) => `${address}/p2p/${peerIdOf(signer.address)}`), neighbours: named }
  }
  const client = createApiClient({ url: 'http://localhost', socketPath, clock })
  const { multiaddrs } = await client.node({ signal })
  const dialled = (await client.peers({ signal })).filter(
    ({ direction, relayed }) => direction === 'outbound' && !relayed,
  )
  const neighbours = [...new Set([...named, ...dialled.map(({ multiaddr }) => multiaddr)])]
  return { multiaddrs, neighbours: neighbours.slice(0, MAX_NEIGHBOURS) }
}
