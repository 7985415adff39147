import { type CID, isStructureCid, parseCid } from '../../../protocols/encoding.ts'
import { InputError } from '../../base/errors.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import { type Author, findAuthor, openPublishedIndex, type PublishedEntry } from '../author.ts'
import type { Cli } from '../cli.ts'
import { networkNameOf } from '../network-name.ts'

/** A light peer in the mesh, and the service that it is there for. */
export type Target = AsyncDisposable & {
  readonly peer: LightPeer
  readonly service: CID
  /** what was published from this machine: names of its ports, nodes that reported a run, versions before */
  readonly entry?: ({ readonly name: string } & PublishedEntry) | undefined
  readonly author?: Author | undefined
  readonly network: string
}

export async function lightPeerFor(
  cli: Cli,
  init: { service: string; join: readonly string[]; network: string | undefined; key: string | undefined },
): Promise<Target> {
  const network = await networkNameOf(cli, init.network)
  const author = await findAuthor(cli, init.key)
  const entry = author === undefined ? undefined : (await openPublishedIndex(author, network)).find(init.service)
  const service = entry === undefined ? fullId(init.service) : parseCid(entry.id)
  const components = { clock: cli.clock, rng: cli.rng, log: cli.log('error') }
  const joining = { network, join: init.join, author: author?.signer, signal: cli.signal }
  const peer = await cli.factories.lightPeer(components, joining)
  return { peer, service, entry, author, network, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() }
}

function fullId(text: string): CID {
  try {
    const cid = parseCid(text)
    if (isStructureCid(cid)) return cid
    throw new InputError('a raw content id names bytes or an image')
  } catch (cause) {
    throw new InputError(
      `${JSON.stringify(text)} is neither a complete service id nor a name that you published from here; to look it up by name, use a running node`,
      { cause },
    )
  }
}
