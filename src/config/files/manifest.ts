import { basename } from 'node:path'
import { type Address, addressBytes, parseAddress } from '../../../protocols/address.ts'
import { type CID, encodeCanonical, parseCid } from '../../../protocols/encoding.ts'
import { MAX_ANNOUNCEMENT_BYTES } from '../../../protocols/limits.ts'
import type { Reach } from '../../../protocols/redirection.ts'
import { encodeService, type ServiceBody } from '../../../protocols/service.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import { type ReadOptions, readJson } from '../read.ts'
import { check, valueText } from '../settings-error.ts'
import { type Manifest, manifestSchema } from './manifest-schema.ts'

/** What a signed service has and a manifest cannot know. `issued` is seconds (UTC); `code` the archive's content id. */
export type Signing = {
  readonly author: Address
  readonly seq: number
  readonly issued: number
  readonly code: CID
  /** the archive of the code, where it travels in the announcement */
  readonly inline?: Uint8Array | undefined
  readonly replyTo: readonly string[]
  readonly reach: Reach
  /** what the manifest's `staple` and the publisher name, read */
  readonly staples?: Staples | undefined
}

/** Encoded statements that travel with a service. */
export type Staples = { readonly statements: readonly Uint8Array[]; readonly credentials: readonly Uint8Array[] }

/** Signature, ticket and framing of an announcement. */
const ENVELOPE_BYTES = 160

/** Reads a manifest file: JSON, comments allowed. */
export async function loadManifest(path: string, options: ReadOptions = {}): Promise<Manifest> {
  const file = basename(path)
  return parseManifest(
    await readJson(path, file, 'name a manifest, or run `thundercloud service new NAME` to write one', options),
    file,
  )
}

/** Validates a manifest that was read already; throws an InputError that begins with `file`. */
export function parseManifest(value: unknown, file = 'manifest'): Manifest {
  const manifest = check(manifestSchema, value, file)
  if (manifest.code !== undefined) codeOfManifest(manifest.code, file)
  return manifest
}

/** The body to sign. */
export function manifestToBody(manifest: Manifest, signing: Signing, file = 'manifest'): ServiceBody {
  const { run, reward } = manifest
  if (manifest.staple.length > 0 && signing.staples === undefined) {
    throw new InputError(
      `${file}: staple names files of the publisher's; \`thundercloud publish\` reads them, the API does not`,
    )
  }
  const body: ServiceBody = {
    v: 1,
    author: addressBytes(signing.author),
    name: manifest.name,
    seq: signing.seq,
    title: manifest.title ?? manifest.name,
    desc: manifest.desc,
    keywords: manifest.keywords,
    toolchain: manifest.toolchain,
    symbiotes: manifest.symbiotes.map((text) => addressBytes(parseAddress(text))),
    hostchains: manifest.hostchains,
    issued: signing.issued,
    expires: signing.issued + manifest.expires,
    code: signing.code,
    sources: [...inlineSource(signing), ...manifest.sources.map((source) => without(source))],
    run: without({ ...run, kind: run.kind ?? (run.ports.length > 0 ? 'service' : 'task'), ports: run.ports }),
    resources: manifest.resources,
    network: manifest.network,
    replicas: manifest.replicas,
    ...(reward === undefined ? {} : { reward }),
    statements: [...(signing.staples?.statements ?? [])],
    credentials: [...(signing.staples?.credentials ?? [])],
    replyTo: [...signing.replyTo],
    reach: signing.reach,
  }
  checkBody(body, file)
  return body
}

function checkBody(body: ServiceBody, file: string): void {
  const most = MAX_ANNOUNCEMENT_BYTES - ENVELOPE_BYTES
  const broken = ({ message }: Error) => `${file}: ${message}`
  const size = decodeInput(() => encodeCanonical(body), broken).byteLength
  if (size > most) {
    throw new InputError(
      `${file} has ${size} bytes when encoded; allowed are at most ${most}: ${adviceFor(body, size)}`,
    )
  }
  decodeInput(() => encodeService(body), broken)
}

function adviceFor({ sources, statements, credentials }: ServiceBody, size: number): string {
  const code = sources.reduce((sum, source) => sum + (source.type === 'inline' ? source.bytes.byteLength : 0), 0)
  if (code > size / 2) return 'the code takes most of it; publish it without --inline'
  const ways = [
    ...(statements.length + credentials.length > 0 ? ['staple less'] : []),
    ...(code > 0 ? ['publish it without --inline'] : []),
    'shorten desc, env or the command',
  ]
  return ways.join(', or ')
}

function inlineSource({ inline }: Signing): ServiceBody['sources'] {
  return inline === undefined ? [] : [{ type: 'inline', bytes: inline }]
}

function codeOfManifest(text: string, file: string): CID {
  try {
    return parseCid(text)
  } catch (cause) {
    throw new InputError(
      `${file}: code is ${valueText(text)}; allowed is the content id of an archive (bafy... or bafk...)`,
      { cause },
    )
  }
}

/** dag-cbor has no form for undefined: keys that are not set are left out. */
function without<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}
