import { resolve } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { parseStatementBody } from '../../../protocols/statement.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { NoDaemonError } from '../../api/client/errors.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import { loadHubFile } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { encodeBody, type SigningContext, type StatementInput } from './create.ts'
import { describeStatement } from './describe.ts'
import { draftText } from './draft.ts'
import { expiryOf } from './expiry.ts'
import type { SigningInput } from './options.ts'
import { writeNew } from './write-files.ts'

/** Writes what the members of a hub are to sign. */
export async function draftForMembers(
  cli: Cli,
  {
    until,
    hub: file,
    key,
    join,
    offline,
    network,
    out,
    seq,
  }: SigningInput & { readonly until: string; readonly hub: string },
  about: (context: SigningContext) => Promise<StatementInput>,
): Promise<void> {
  if (key !== undefined) throw new InputError('--key contradicts --hub: members sign the draft, each with `hub sign`')
  if (join.length > 0) throw new InputError('--join contradicts --hub: a draft is not published; see `hub combine`')
  if (out === undefined) throw new InputError('--hub writes a draft; name its file with --out')
  const expires = expiryOf(until, nowSeconds(cli.clock))
  const hub = await loadHubFile(resolve(cli.cwd, file), file, createKeyCache(), cli)
  if (network !== undefined && network !== hub.network) {
    throw new InputError(`--network is "${network}", but ${file} is for network "${hub.network}"`)
  }
  const client = offline ? undefined : await nodeIfThere(cli, hub.network, file)
  const context = { signer: hub.hub, client }
  const body = await encodeBody(cli, context, { expires, seq, input: await about(context) })
  const path = await writeNew(cli, out, draftText(hub.network, body))
  const sentence = describeStatement(parseStatementBody(body, new Uint8Array()))
  const { threshold, members } = hub
  const wanted = { event: 'drafted', file: path, hub: formatAddress(hub.hub), threshold, members: members.length }
  cli.out.item(wanted, () =>
    [
      `Draft: ${sentence}.`,
      `Written to ${path}. ${threshold} of ${members.length} members sign it, each with:`,
      `  thundercloud hub sign ${out} --key member-N.json`,
    ].join('\n'),
  )
}

/** A draft needs no node; one that runs knows names, and the numbers that were given. */
async function nodeIfThere(cli: Cli, network: string, file: string): Promise<ApiClient | undefined> {
  try {
    const client = await nodeClient(cli)
    const info = await client.node({ signal: cli.signal })
    if (info.network === network) return client
    throw new InputError(`${file} is for network "${network}", but the node is in "${info.network}"; say --offline`)
  } catch (error) {
    const named = cli.globals.api !== undefined || cli.globals.dir !== undefined
    // a missing node folder is an error only if it was named
    const isAbsent =
      error instanceof NoDaemonError || (error instanceof InputError && /is not there/.test(error.message))
    if (named || !isAbsent) throw error
    cli.out.note('No node was asked: the number is the time, and CODE must be a content id.')
    return undefined
  }
}
