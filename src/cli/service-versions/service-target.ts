import { RUN_RULES } from '../../../protocols/receipt.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { InputError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import type { ReceiptView, RunView, ServiceView } from '../../node/types.ts'
import { type Author, findAuthor, openPublishedIndex } from '../author.ts'
import type { Cli } from '../cli.ts'
import type { AccessToken } from '../client/access-token.ts'
import { accessOf, joinAs, lightPeerFor, type Wanted } from '../client/light-peer.ts'
import { nodeClient } from '../client/node-client.ts'

/** One version of a service, and what is known of its runs. */
export type Version = {
  readonly id: string
  readonly seq?: number | undefined
  /** undefined where it is unknown here */
  readonly kind?: 'task' | 'service'
  /** the newest receipt of each node */
  readonly reports: readonly ReceiptView[]
  /** nodes that reported a run, asked first */
  readonly peers: readonly string[]
  /** on the node of this folder */
  readonly run?: RunView | undefined
  /** by its author */
  readonly stopped?: boolean
}

/** What a command is about: all versions of a name, or the one version that an id names. */
export interface ServiceTarget {
  /** as it was given */
  readonly label: string
  /** declared ports by name; empty if they are unknown here */
  readonly ports: readonly { readonly name: string; readonly access?: string }[]
  readonly author: string | undefined
  readonly key: Author | undefined
  /** The node of this folder, where there is one. */
  readonly client?: ApiClient | undefined
  /** Addresses of the nodes that `peer` has joined. */
  readonly join: readonly string[]
  /** Newest first; read again each time. */
  versions(): Promise<readonly Version[]>
  /** Reaches other nodes; made when it is needed. */
  peer(): Promise<LightPeer>
}

/** States of a receipt whose sender has a run or had one. */
const RUN_STATES: ReadonlySet<string> = new Set(['accepted', 'running', 'done', 'failed', 'stopped'])

/** Did its sender run it? `stopped` is also said of a service that was stopped or replaced and never ran there. */
export function hasRun({ state, reasons }: Pick<ReceiptView, 'state' | 'reasons'>): boolean {
  if (state !== 'stopped') return RUN_STATES.has(state)
  return reasons.some(({ rule }) => rule === RUN_RULES.exit)
}

/** Nodes of one version that are asked by name; others are found as neighbours and in the DHT. */
const MAX_PEERS = 64

export async function targetAtNode(cli: Cli, stack: AsyncDisposableStack, given: Wanted): Promise<ServiceTarget> {
  const { signal } = cli
  const client = await nodeClient(cli)
  const view = await client.service(given.service, { signal })
  const key = await findAuthor(cli, given.key)
  const access = await accessOf(cli, given, key)
  let peer: Promise<LightPeer> | undefined
  let join: readonly string[] = []
  const joinNode = async () => {
    const { network, multiaddrs } = await client.node({ signal })
    if (multiaddrs.length === 0)
      throw new InputError('the node listens nowhere; give LISTEN in its node.json an address')
    join = multiaddrs
    return stack.use(await joinAs(cli, key, access, { network, join }))
  }
  return {
    label: given.service,
    ports: view.ports,
    author: view.author,
    key,
    client,
    async versions() {
      const named = view.name === given.service ? await client.services({ signal }) : []
      const mine = named.filter(({ name, author }) => name === view.name && author === view.author)
      const views = mine.length > 0 ? mine : [await client.service(view.id, { signal })]
      const versions = views.map(versionOf).sort((a, b) => (b.seq ?? 0) - (a.seq ?? 0))
      return access === undefined ? versions : [versionWith(access, versions, given)]
    },
    peer: () => {
      peer ??= joinNode()
      return peer
    },
    get join() {
      return join
    },
  }
}

export async function targetByPeer(
  cli: Cli,
  stack: AsyncDisposableStack,
  given: Wanted & { readonly join: readonly string[]; readonly network: string | undefined },
): Promise<ServiceTarget> {
  const target = stack.use(await lightPeerFor(cli, given))
  const { service, entry, author, network } = target
  const id = service.toString()
  return {
    label: given.service,
    ports: (entry?.ports ?? []).map((name) => ({ name })),
    author: undefined,
    key: author,
    join: given.join,
    async versions() {
      if (entry === undefined || author === undefined) return [{ id, reports: [], peers: [] }]
      // another command may have published an update since
      const { before = [], ...newest } = (await openPublishedIndex(author, network)).find(given.service) ?? entry
      const known = entry.name === given.service ? [newest, ...before] : [newest]
      const stopped = newest.state === 'stopped'
      return known.map(({ id, seq, ran = [] }) => ({ id, seq, reports: [], peers: ran, stopped }))
    },
    peer: async () => target.peer,
  }
}

/** A token is for one version. */
function versionWith({ service }: AccessToken, versions: readonly Version[], given: Wanted): Version {
  const found = versions.find(({ id }) => id === service)
  if (found !== undefined) return found
  const label = JSON.stringify(sanitizeText(given.service, 80))
  throw new InputError(`--access ${given.access?.file} is for the service ${service}, which is no version of ${label}`)
}

function versionOf({ id, seq, kind, receipts, run, stoppedBy }: ServiceView): Version {
  const ran = receipts.filter(hasRun)
  const others = receipts.filter((receipt) => !hasRun(receipt))
  const peers = [...ran, ...others].map(({ peerId }) => peerId).slice(0, MAX_PEERS)
  return { id, seq, kind, reports: receipts, peers, run, stopped: stoppedBy !== undefined }
}
