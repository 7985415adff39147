import { resolve } from 'node:path'
import { type AccessRight, decodeAccess } from '../../../protocols/access.ts'
import { type Address, decodeAddress, formatAddress, peerIdOf, sameAddress } from '../../../protocols/address.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { readBytes } from '../../config/index.ts'
import type { Author } from '../author.ts'
import type { Cli } from '../cli.ts'
import { text } from '../command.ts'
import { minuteText } from '../statements/expiry.ts'

export const accessOption = text(
  'FILE',
  "where the service is another's: the token that its author made for your key, with `access new`",
)

/** A token that an author made for the key that is used here. */
export type AccessToken = { readonly bytes: Uint8Array; readonly service: string }

/** A token has 512 bytes at most, as text a third more. */
const MAX_FILE_BYTES = 4096
/** Letters of an id that name it, as in other commands. */
const MIN_BEGINNING = 8

export function accessText(token: Uint8Array): string {
  return Buffer.from(token).toString('base64url')
}

/** Reads a token, and refuses one that every node would refuse. Whether its author signed it, nodes check. */
export async function readAccess(
  cli: Cli,
  file: string,
  { key, right }: { key: Author | undefined; right: AccessRight },
): Promise<AccessToken> {
  const bytes = await readToken(cli, file)
  const { service, subject, rights, expires } = bodyOf(bytes, file)
  const holder = decodeAddress(subject)
  if (key === undefined || !sameAddress(key.signer.address, holder)) throw otherHolder(file, holder, key)
  if (expires <= nowSeconds(cli.clock))
    throw new InputError(`--access ${file} has ended at ${minuteText(expires)}: ask the author for a new one`)
  if (!rights.includes(right))
    throw new InputError(`--access ${file} gives the right to ${joinWords(rights)}, and not to ${right}`)
  return { bytes, service: service.toString() }
}

/** The service that a text names, where there is a token for it: without a node that is its id, or the beginning of one. */
export function checkService(given: string, file: string, { service }: AccessToken): void {
  const names = given === service || (given.length >= MIN_BEGINNING && service.startsWith(given))
  if (!names) throw new InputError(`--access ${file} is for the service ${service}: name that`)
}

async function readToken({ cwd, signal }: Cli, file: string): Promise<Uint8Array> {
  const init = { file: `--access ${file}`, advice: 'name the file with the token', maxBytes: MAX_FILE_BYTES, signal }
  const written = new TextDecoder().decode(await readBytes(resolve(cwd, file), init)).trim()
  const bytes = Uint8Array.from(Buffer.from(written, 'base64url'))
  if (accessText(bytes) !== written || written === '')
    throw new InputError(`--access ${file} is no access token; allowed is what \`thundercloud access new\` prints`)
  return bytes
}

function bodyOf(bytes: Uint8Array, file: string) {
  try {
    return decodeAccess(bytes).body
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new InputError(`--access ${file} is damaged: ${cause.message}`, { cause })
  }
}

function otherHolder(file: string, holder: Address, key: Author | undefined): InputError {
  const used = key === undefined ? 'there is no key here' : `the key used here is ${key.address}`
  return new InputError(
    `--access ${file} is for the key ${formatAddress(holder)} (peer ${peerIdOf(holder)}), and ${used}: name the key with --key`,
  )
}
