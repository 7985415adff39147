import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { ed25519Signer, type Signer } from '../../../protocols/signature.ts'
import { InputError } from '../../base/errors.ts'
import { API_TOKEN_FILE, IDENTITY_FILE } from '../constants.ts'
import { readKeyFile } from '../keys/key-file.ts'
import { type ReadOptions, readText } from '../read.ts'

/** The node's own ed25519 key: it signs as the node's address, and it is the libp2p identity. */
export type Identity = { readonly signer: Signer; readonly key: KeyObject }

export async function loadIdentity(dir: string, options: ReadOptions = {}): Promise<Identity> {
  const key = await readKeyFile(join(dir, IDENTITY_FILE), IDENTITY_FILE, identityAdvice(dir), options)
  return { signer: ed25519Signer(key), key }
}

const TOKEN_ADVICE = 'copy one from a backup, or from a new folder made by `thundercloud init`'

/** What the HTTP API takes as proof of being the operator. */
export async function loadToken(dir: string, options: ReadOptions = {}): Promise<string> {
  const token = (await readText(join(dir, API_TOKEN_FILE), API_TOKEN_FILE, TOKEN_ADVICE, options)).trim()
  if (!/^[\w-]{32,256}$/.test(token)) {
    throw new InputError(
      `${API_TOKEN_FILE} has no token; allowed are 32 to 256 letters, digits, "-" and "_" on one line`,
    )
  }
  return token
}

function identityAdvice(dir: string): string {
  return `take it from a backup of ${dir}; a new folder made by \`thundercloud init\` has a new identity, which is another node`
}
