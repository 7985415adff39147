import type { AccessRight } from '../../../protocols/access.ts'
import { type CID, isStructureCid, parseCid } from '../../../protocols/encoding.ts'
import { InputError } from '../../base/errors.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import { type Author, findAuthor, openPublishedIndex, type PublishedEntry } from '../author.ts'
import type { Cli } from '../cli.ts'
import { networkNameOf } from '../network-name.ts'
import { type AccessToken, checkService, readAccess } from './access-token.ts'

/** A light peer in the mesh, and the service that it is there for. */
export type Target = AsyncDisposable & {
  readonly peer: LightPeer
  readonly service: CID
  /** what was published from this machine: names of its ports, nodes that reported a run, versions before */
  readonly entry?: ({ readonly name: string } & PublishedEntry) | undefined
  readonly author?: Author | undefined
  readonly network: string
}

/** What a command names: the service, the key, and the token that was given for it, with the right that is used. */
export type Wanted = {
  readonly service: string
  readonly key: string | undefined
  readonly access?: { readonly file: string | undefined; readonly right: AccessRight } | undefined
}

export async function accessOf(
  cli: Cli,
  { access }: Wanted,
  key: Author | undefined,
): Promise<AccessToken | undefined> {
  return access?.file === undefined ? undefined : await readAccess(cli, access.file, { key, right: access.right })
}

/** Joins for this author, or, with a token, as the peer that it was made for. */
export async function joinAs(
  cli: Cli,
  key: Author | undefined,
  access: AccessToken | undefined,
  mesh: { readonly network: string; readonly join: readonly string[] },
): Promise<LightPeer> {
  const components = { clock: cli.clock, rng: cli.rng, log: cli.log('error') }
  const holder = access === undefined ? {} : { identity: key?.key, access: access.bytes }
  const joining = { ...mesh, author: key?.signer, ...holder, signal: cli.signal }
  return await cli.factories.lightPeer(components, joining)
}

export async function lightPeerFor(
  cli: Cli,
  init: Wanted & { join: readonly string[]; network: string | undefined },
): Promise<Target> {
  const network = await networkNameOf(cli, init.network)
  const author = await findAuthor(cli, init.key)
  const access = await accessOf(cli, init, author)
  if (access !== undefined) checkService(init.service, init.access?.file ?? '', access)
  const entry =
    author === undefined || access !== undefined
      ? undefined
      : (await openPublishedIndex(author, network)).find(init.service)
  const service = access !== undefined ? parseCid(access.service) : entry ? parseCid(entry.id) : fullId(init.service)
  const peer = await joinAs(cli, author, access, { network, join: init.join })
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
