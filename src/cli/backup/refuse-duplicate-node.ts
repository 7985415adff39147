import { join } from 'node:path'
import { peerIdOf } from '../../../protocols/address.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { livingOwner } from '../../base/os/pid-lock.ts'
import type { Configuration, Identity } from '../../config/index.ts'
import { resolveOrigins } from '../../light-peer/resolve-origins.ts'
import type { Cli } from '../cli.ts'
import { FailedError } from '../errors.ts'
import { askOriginal } from './probe-original.ts'

/** For so long it may hold up a start, the lookup of origins included. */
export const START_ASK_MS = 3_000

/**
 * Throws where another node answers on the mesh with this node's key. It is asked before this node listens: a stranger
 * could lead the question back to it. Only who has the key can answer, so no stranger keeps a node from starting.
 */
export async function refuseDuplicateNode(
  cli: Cli,
  { configuration, identity, log }: { configuration: Configuration; identity: Identity; log: Log },
): Promise<void> {
  const { network, announce, dataDir, policy } = configuration
  const { multiaddrs, origins } = policy.staticNodes
  if (multiaddrs.length + origins.length === 0) return
  // one that runs in this folder is another matter: the folder is locked, and says so
  if ((await livingOwner(join(dataDir, 'node.pid'))) !== undefined) return
  const peerId = peerIdOf(identity.signer.address)
  const until = cli.clock.monotonic() + START_ASK_MS
  using _progress = cli.out.progress('asking the mesh for another node with this key')
  try {
    const neighbours = [...multiaddrs, ...(await resolveOrigins(cli.clock, origins, cli))]
    const own = announce.map((address) => `${address}/p2p/${peerId}`)
    const withinMs = until - cli.clock.monotonic()
    const found = await askOriginal(cli, { network, peerId, multiaddrs: own, neighbours }, { withinMs })
    log.debug('asked the mesh for another node with this key', { found })
    if (found !== 'answers') return
  } catch (error) {
    cli.signal.throwIfAborted()
    log.debug('the mesh cannot be asked for another node with this key', { reason: messageOf(error) })
    return
  }
  throw new FailedError(
    `another node with this key (${peerId}) answers on its mesh: a restored node and its original, or a copied folder; stop one of them for good, since two contradict each other`,
  )
}
