import { join } from 'node:path'
import { ed25519Signer, type Signer } from '../../protocols/signature.ts'
import { InputError } from '../base/errors.ts'
import { API_TOKEN_FILE, IDENTITY_FILE } from './constants.ts'
import { readKeyFile } from './key-file.ts'
import { type ReadOptions, readText } from './read.ts'

/** The node's own key: it signs as the node's address, and its seed makes the libp2p identity. */
export type Identity = {
  readonly signer: Signer
  /** the 32 secret bytes of the ed25519 key (RFC 8032) */
  readonly seed: Uint8Array
}

/** Where PKCS#8 DER of an ed25519 key has its seed: the last 32 of 48 bytes (RFC 8410). */
const SEED_OFFSET = 16

export async function loadIdentity(dir: string, options: ReadOptions = {}): Promise<Identity> {
  const key = await readKeyFile(join(dir, IDENTITY_FILE), IDENTITY_FILE, adviceFor(dir), options)
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return { signer: ed25519Signer(key), seed: Uint8Array.from(der.subarray(SEED_OFFSET, SEED_OFFSET + 32)) }
}

/** What the HTTP API takes as proof of being the operator. */
export async function loadToken(dir: string, options: ReadOptions = {}): Promise<string> {
  const token = (await readText(join(dir, API_TOKEN_FILE), API_TOKEN_FILE, adviceFor(dir), options)).trim()
  if (!/^[\w-]{32,256}$/.test(token)) {
    throw new InputError(
      `${API_TOKEN_FILE} has no token; allowed are 32 to 256 letters, digits, "-" and "_" on one line`,
    )
  }
  return token
}

function adviceFor(dir: string): string {
  return `it is made by \`thundercloud init\`, or take it from a backup of ${dir}`
}
