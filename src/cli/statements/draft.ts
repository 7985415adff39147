import { resolve } from 'node:path'
import { z } from 'zod'
import { type Address, formatAddress, parseAddress } from '../../../protocols/address.ts'
import { timeWindowError } from '../../../protocols/announcement.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { type Signer, signFor } from '../../../protocols/signature.ts'
import { parseStatementBody, type Statement } from '../../../protocols/statement.ts'
import { nowSeconds } from '../../base/clock.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import { hexText, readJson } from '../../config/index.ts'
import type { Cli } from '../cli.ts'

const hex = z.string().regex(/^0x([0-9a-f]{2})+$/i)
const draftSchema = z.strictObject({ type: z.literal('draft'), network: z.string(), body: hex })
const partSchema = z.strictObject({
  type: z.literal('part'),
  network: z.string(),
  /** sha256 of the draft's body */
  draft: hex,
  member: z.string(),
  sig: hex,
})

/** A statement that is not signed yet; its `sig` is empty. */
export type Draft = { readonly network: string; readonly statement: Statement }

/** One member's signature of a draft, not verified yet. */
export type MemberSignature = { readonly file: string; readonly member: Address; readonly sig: Uint8Array }

export function draftText(network: string, body: Uint8Array): string {
  return `${JSON.stringify({ type: 'draft', network, body: hexText(body) }, null, 2)}\n`
}

/** Reads a draft that can still be signed. */
export async function loadDraftFile(cli: Pick<Cli, 'cwd' | 'clock' | 'signal'>, file: string): Promise<Draft> {
  const value = await readJson(resolve(cli.cwd, file), file, 'write one with `hub attest --hub`', cli)
  const read = draftSchema.safeParse(value)
  if (!read.success)
    throw new InputError(`${file} is no draft; name what \`hub attest --hub\` or \`hub freeze --hub\` wrote`)
  const { network, body } = read.data
  const statement = inFile(file, () => parseStatementBody(bytesOf(body), new Uint8Array()))
  if (timeWindowError(statement.body, nowSeconds(cli.clock)) === 'expired') {
    throw new InputError(`${file} has expired, so no node would accept it; write a new draft`)
  }
  return { network, statement }
}

/** A member's signature, as the file for the member that combines. */
export function memberSignatureText({ network, statement }: Draft, signer: Signer): string {
  const shown = {
    type: 'part',
    network,
    draft: hexText(sha256(statement.bytes)),
    member: formatAddress(signer.address),
    sig: hexText(signFor(signer, network, statement.kind, statement.bytes)),
  }
  return `${JSON.stringify(shown, null, 2)}\n`
}

export async function loadMemberSignature(
  cli: Pick<Cli, 'cwd' | 'signal'>,
  file: string,
  draft: Draft,
): Promise<MemberSignature> {
  const value = await readJson(resolve(cli.cwd, file), file, 'members write theirs with `hub sign`', cli)
  const read = partSchema.safeParse(value)
  if (!read.success) throw new InputError(`${file} is no member's part; name what \`hub sign\` wrote`)
  const { network, draft: of, member, sig } = read.data
  if (network !== draft.network) {
    throw new InputError(
      `${file} was signed for network ${JSON.stringify(network)}, the draft is for "${draft.network}"`,
    )
  }
  if (of.toLowerCase() !== hexText(sha256(draft.statement.bytes))) {
    throw new InputError(`${file} is the signature of another draft; sign this one with \`hub sign\``)
  }
  return { file, member: inFile(file, () => parseAddress(member, 'member')), sig: bytesOf(sig) }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
}

function inFile<T>(file: string, read: () => T): T {
  return decodeInput(read, ({ message }) => `${file}: ${message}`)
}
