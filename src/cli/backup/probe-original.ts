import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import type { Cli } from '../cli.ts'

/** A node, and where it or the way to it is known. */
export type Original = {
  readonly network: string
  readonly peerId: string
  /** its own addresses */
  readonly multiaddrs: readonly string[]
  /** other nodes of its mesh */
  readonly neighbours: readonly string[]
}

/**
 * Whether a node answers on its mesh, to a peer with a key of its own. Nobody without the node's key can answer for it.
 * unasked: no node of the mesh could be reached, so nothing says that it does not run.
 */
export async function askOriginal(
  { clock, rng, log, factories, signal }: Pick<Cli, 'rng' | 'log' | 'factories' | 'signal'> & { clock: Clock },
  { network, peerId, multiaddrs, neighbours }: Original,
  { withinMs }: { withinMs: number },
): Promise<'answers' | 'silent' | 'unasked'> {
  const join = [...multiaddrs, ...neighbours]
  if (join.length === 0) return 'unasked'
  using patience = deadline(clock, withinMs, new TimeoutError('the time is up'), signal)
  const joining = { network, join, signal: patience.signal }
  let peer: LightPeer
  try {
    peer = await factories.lightPeer({ clock, rng, log: log('error') }, joining)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UnavailableError) && !patience.signal.aborted) throw error
    // its own addresses alone: nobody else knows the way to it
    return neighbours.length === 0 ? 'silent' : 'unasked'
  }
  await using _joined = peer
  try {
    return (await peer.answers(peerId, { signal: patience.signal })) ? 'answers' : 'silent'
  } catch (error) {
    signal.throwIfAborted()
    if (!patience.signal.aborted) throw error
    return 'silent'
  }
}
