import { formatAddress } from '../../../protocols/address.ts'
import { decodeStatement, signerOf, statementId } from '../../../protocols/statement.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { NoDaemonError } from '../../api/client/errors.ts'
import { AccessError, InputError, messageOf } from '../../base/errors.ts'
import type { Preview } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { networkNameOf } from '../network-name.ts'
import { confirmChanges, printPreview } from '../policy/confirm-changes.ts'
import { describeStatement } from './describe.ts'
import type { DestinationInput } from './options.ts'
import { writeStatement } from './write-files.ts'

/** Where statements leave: a running node, a peer for a minute, or a file alone. */
export type Destination = {
  readonly network: string
  readonly client?: ApiClient | undefined
  readonly join: readonly string[]
}

export async function destinationOf(
  cli: Cli,
  { join, network, out, offline }: Omit<DestinationInput, 'yes'>,
): Promise<Destination> {
  if (offline && join.length > 0) throw new InputError('--offline contradicts --join; say one of them')
  if (offline && out === undefined) throw new InputError('--offline only writes a file; name it with --out')
  if (offline || join.length > 0) return { network: await networkNameOf(cli, network), join }
  if (network !== undefined) {
    throw new InputError('--network goes with --join or --offline; a node knows its network itself')
  }
  const client = await nodeClient(cli)
  return { network: (await client.node({ signal: cli.signal })).network, client, join }
}

/**
 * Shows what the node would change by it, publishes it, writes it to a file if requested, and describes it.
 * Without a terminal there is no question, so that scripts do not block.
 */
export async function submitStatement(
  cli: Cli,
  destination: Destination,
  encoded: Uint8Array,
  { out, yes }: { out: string | undefined; yes: boolean },
): Promise<void> {
  const { network, client, join } = destination
  let records: number | undefined
  const preview = client === undefined ? undefined : await previewOf(cli, client, encoded)
  if (preview !== undefined) {
    printPreview(cli, preview)
    const changes = preview.changes.length + preview.more > 0
    if (changes) await confirmChanges(cli, { yes, question: 'Publish it?', unattended: 'proceed' })
  }
  if (client !== undefined) await client.submitStatement(encoded, { signal: cli.signal })
  else if (join.length > 0) {
    const components = { clock: cli.clock, rng: cli.rng, log: cli.log('error') }
    await using peer = await cli.factories.lightPeer(components, { network, join, signal: cli.signal })
    records = (await peer.submitStatement(encoded, { signal: cli.signal })).records
  }
  const published = client !== undefined || join.length > 0
  const file = out === undefined ? undefined : await writeStatement(cli, out, encoded)
  report(cli, encoded, { published, file, records, preview })
}

/** Undefined if the node, of an older version perhaps, cannot answer: the statement is made nevertheless. */
async function previewOf(cli: Cli, client: ApiClient, encoded: Uint8Array): Promise<Preview | undefined> {
  try {
    return await client.previewStatement(encoded, { signal: cli.signal })
  } catch (error) {
    cli.signal.throwIfAborted()
    if (error instanceof InputError || error instanceof AccessError || error instanceof NoDaemonError) throw error
    cli.out.note(`What it would change on this node could not be found out: ${messageOf(error)}`)
    return undefined
  }
}

function report(
  { out }: Pick<Cli, 'out'>,
  encoded: Uint8Array,
  {
    published,
    file,
    records,
    preview,
  }: {
    published: boolean
    file: string | undefined
    records: number | undefined
    preview: Preview | undefined
  },
): void {
  const statement = decodeStatement(encoded)
  const { seq, expires } = statement.body
  const signer = formatAddress(signerOf(statement))
  const id = statementId(encoded).toString()
  const event = published ? 'published' : 'written'
  const changed = preview === undefined ? {} : { preview: preview.changes, more: preview.more }
  out.item({ event, id, kind: statement.kind, signer, seq, expires, file, records, ...changed }, () => {
    const lines = [`${published ? 'Published' : 'Signed'}: ${describeStatement(statement)}.`]
    if (file !== undefined) lines.push(`Written to ${file}.`)
    if (records === 0 && statement.kind !== 'freeze') {
      lines.push(
        'The neighbours have it, but no peer took its record: nodes that are off now get it from other nodes only.',
      )
    }
    return lines.join('\n')
  })
}
