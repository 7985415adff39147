import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { serviceId } from '../../../protocols/service.ts'
import type { OpenedBackup } from '../../backup/index.ts'
import { deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import type { Cli } from '../cli.ts'

/** A node that has not answered by then does not run, or cannot be found. */
const ASK_MS = 15_000

/** What a node is asked about: any id does, also that of a service which nobody has. */
const ANY_SERVICE = serviceId(new Uint8Array())

/**
 * Whether the node of a backup answers on its mesh, to a peer with a key of its own. unasked: no node of the mesh could be
 * reached, so nothing says that it does not run.
 */
export async function askOriginal(
  { clock, rng, log, factories, signal }: Cli,
  { network, address, peerId, multiaddrs, neighbours }: OpenedBackup['contents'],
): Promise<'answers' | 'silent' | 'unasked'> {
  const join = [...multiaddrs, ...neighbours]
  if (join.length === 0) return 'unasked'
  using patience = deadline(clock, ASK_MS, new TimeoutError('the time is up'), signal)
  const joining = { network, join, signal: patience.signal }
  let peer: LightPeer
  try {
    peer = await factories.lightPeer({ clock, rng, log: log('error') }, joining)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UnavailableError)) throw error
    // its own addresses alone: nobody else knows the way to it
    return neighbours.length === 0 ? 'silent' : 'unasked'
  }
  await using _joined = peer
  try {
    for await (const { body } of peer.ask(ANY_SERVICE, { peers: [peerId], signal: patience.signal })) {
      if (formatAddress(decodeAddress(body.node)) === address) return 'answers'
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!patience.signal.aborted) throw error
  }
  return 'silent'
}
