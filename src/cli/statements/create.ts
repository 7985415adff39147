import type { Address } from '../../../protocols/address.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { nowSeconds } from '../../base/clock.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import type { StatementFilter, StatementView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { type Destination, destinationOf, submitStatement } from './destination.ts'
import { expiryOf } from './expiry.ts'
import type { SigningInput } from './options.ts'
import { loadSigner } from './signer.ts'

/** The signer, and the node that may be asked about the statement. */
export type SigningContext = { readonly signer: Address; readonly client: ApiClient | undefined }

/** One statement that is to be made. */
export type StatementInput = {
  /** what the node may know of the same subject */
  readonly filter: StatementFilter
  readonly matches?: ((view: StatementView) => boolean) | undefined
  encode(stamp: { v: 1; seq: number; issued: number; expires: number }): Uint8Array
}

/** Makes a statement, signs it with one key, and hands it in. */
export async function createStatement(
  cli: Cli,
  { until, as, ...signing }: SigningInput & { readonly until: string; readonly as: 'hub' | 'node' },
  about: (context: SigningContext) => Promise<StatementInput>,
): Promise<Destination & SigningContext> {
  const expires = expiryOf(until, nowSeconds(cli.clock))
  const signer = await loadSigner(cli, signing.key, as)
  const destination = await destinationOf(cli, signing)
  const context = { signer: signer.address, client: destination.client }
  const body = await encodeBody(cli, context, { expires, seq: signing.seq, input: await about(context) })
  const encoded = orExplain(() => encodeStatement(signStatement(body, destination.network, signer)))
  await submitStatement(cli, destination, encoded, signing)
  return { ...destination, ...context }
}

/** The body, with the next number of its subject. */
export async function encodeBody(
  cli: Cli,
  { client }: SigningContext,
  { expires, seq: asked, input }: { expires: number; seq: number | undefined; input: StatementInput },
): Promise<Uint8Array> {
  const known = client === undefined ? [] : await client.statements(input.filter, { signal: cli.signal })
  const matching = known.filter(input.matches ?? (() => true))
  const highest = Math.max(-1, ...matching.map(({ seq }) => seq))
  if (asked !== undefined && asked <= highest) {
    throw new InputError(`--seq is ${asked}; it must be above ${highest}, the number of the current statement`)
  }
  const issued = nowSeconds(cli.clock)
  const seq = asked ?? Math.max(issued, highest + 1)
  return orExplain(() => input.encode({ v: 1, seq, issued, expires }))
}

/** The wire names its fields; people know them as options. */
function orExplain<T>(encode: () => T): T {
  return decodeInput(encode, ({ field, message }) => {
    const isOption = ['report', 'chain', 'amount', 'depth'].includes(field)
    return isOption ? `--${message.replace(': ', ' ')}` : `the statement: ${message}`
  })
}
