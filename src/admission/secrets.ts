import { InputError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { PackEntry } from '../code/index.ts'
import { createKeyFinder } from '../hub/index.ts'

/** A file that looks secret. */
export type Secret = { readonly path: string; readonly what: string }

/** What comes from a registry is not secret, and packages contain keys for their own tests. */
const FROM_REGISTRY = /(^|\/)(node_modules|site-packages)\//
/** A longer file is neither a key nor a list of settings. */
const MAX_BYTES = 1024 * 1024
/** Names in one message. */
const MAX_LISTED = 10

type Kind = { readonly name: RegExp; readonly what: string; readonly holds?: RegExp }

/** By the name; where `holds` is given, only if the file says such a thing. */
const KINDS: readonly Kind[] = [
  {
    name: /^\.env(\.(?!(example|sample|template|dist|defaults?)$)[^/]*)?$/,
    what: 'settings with values',
    holds: /^\s*(export\s+)?\w+\s*=\s*\S/m,
  },
  { name: /^\.npmrc$/, what: 'a token of a registry', holds: /_(authToken|auth|password)\s*=\s*(?!\$\{)\S/ },
  {
    name: /^\.yarnrc(\.yml)?$/,
    what: 'a token of a registry',
    holds: /(npmAuthToken|npmAuthIdent|_authToken)["']?[:\s=]+["']?(?!\$\{)\S/,
  },
  { name: /^\.pypirc$/, what: 'a password of a registry', holds: /^\s*password\s*[:=]\s*\S/m },
  { name: /^[._]netrc$/, what: 'passwords of hosts', holds: /\bpassword\s+\S/ },
  { name: /^\.git-credentials$/, what: 'passwords of git', holds: /:\/\/[^/\s]*:[^/\s]*@/ },
  { name: /^\.pgpass$/, what: 'passwords of databases', holds: /^[^#\n]*:[^#\n]*:[^#\n]*:\S/m },
  { name: /^credentials$/, what: 'keys of a cloud', holds: /aws_secret_access_key\s*=\s*\S/ },
  { name: /^config\.json$/, what: 'a password of a registry', holds: /"auths"[\s\S]*"auth"\s*:\s*"[^"]/ },
  { name: /^id_(rsa|dsa|ecdsa|ed25519)$/, what: 'a private key' },
  { name: /\.(p12|pfx|jks|keystore|kdbx|ppk)$/, what: 'a store of keys' },
  { name: /^api\.token$/, what: 'the token of a node' },
]

/** Looks at the names of all files, and into those that are short enough to be secrets. */
export async function findSecrets(
  entries: readonly PackEntry[],
  options: { signal?: AbortSignal | undefined },
): Promise<Secret[]> {
  const found: Secret[] = []
  for (const entry of entries) {
    if ('target' in entry || FROM_REGISTRY.test(entry.path)) continue
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1)
    const kind = KINDS.find((one) => one.name.test(name))
    const text = entry.size <= MAX_BYTES ? await textOf(entry, options) : ''
    const what = kind !== undefined && (kind.holds?.test(text) ?? true) ? kind.what : keyIn(text)
    if (what !== undefined) found.push({ path: entry.path, what })
  }
  return found
}

/** Refuses to publish them, and says what to write where. */
export function secretsError(secrets: readonly Secret[], ignoreFile: string): InputError {
  const lines = secrets.slice(0, MAX_LISTED).map(({ path }) => `/${sanitizeText(path).replace(/[*?]/g, '\\$&')}`)
  const more = secrets.length > MAX_LISTED ? ` and ${secrets.length - MAX_LISTED} more` : ''
  return new InputError(
    `the folder contains files that look secret, and every receiver of the code can read them: ${secretsText(secrets)}; ` +
      `write ${lines.map((line) => JSON.stringify(line)).join(', ')}${more} into ${ignoreFile}, each on its own line, ` +
      'or add --with-secrets to publish them',
  )
}

export function secretsText(secrets: readonly Secret[]): string {
  const listed = secrets.slice(0, MAX_LISTED).map(({ path, what }) => `${sanitizeText(path)} (${what})`)
  return `${listed.join(', ')}${secrets.length > MAX_LISTED ? ` and ${secrets.length - MAX_LISTED} more` : ''}`
}

function keyIn(text: string): string | undefined {
  const finder = createKeyFinder({ size: text.length })
  finder.look(text)
  return finder.found()[0]?.replace(/ \(private key\)$/, '')
}

/** Each byte one character, as the key finder reads. */
async function textOf(entry: Exclude<PackEntry, { target: string }>, options: { signal?: AbortSignal | undefined }) {
  const pieces: Uint8Array[] = []
  for await (const piece of entry.open(options)) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}
