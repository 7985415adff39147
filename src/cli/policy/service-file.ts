import { dirname, resolve } from 'node:path'
import { type Address, addressBytes, parseAddress } from '../../../protocols/address.ts'
import { decodeAnnouncement, decodeSigned, type Signed } from '../../../protocols/announcement.ts'
import { cidOfBytes, cidOfStructure, encodeCanonical, fromDagJson, parseCid } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeService, type ServiceBody } from '../../../protocols/service.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError, messageOf } from '../../base/errors.ts'
import {
  loadStaples,
  MAX_SETTINGS_BYTES,
  manifestToBody,
  parseManifest,
  readBytes,
  textToJson,
} from '../../config/index.ts'
import type { TrustSubject } from '../../policy/candidate-trust.ts'
import { type ReceivedService, toReceivedService } from '../../runner/index.ts'
import type { Cli } from '../cli.ts'
import { readReceived } from './received-json.ts'

export type ServiceFile = {
  readonly service: ReceivedService
  /** what its ticket says; undefined where it has none */
  readonly depth: number | undefined
  /** what trust is asked about: its code, its author, and the statements that it brings */
  readonly subject: TrustSubject
  /** what had to be assumed to make a service of it */
  readonly assumed: readonly string[]
}

const WANTED = 'name a manifest, an announcement (dag-cbor or DAG-JSON), or the JSON that a runner receives'

/** Reads a service in any of the forms in which people have one. `author`: whose a manifest is, which names none. */
export async function loadServiceFile(
  cli: Pick<Cli, 'cwd' | 'clock' | 'rng' | 'signal'>,
  init: { file: string; author: Address; authorIs: string },
): Promise<ServiceFile> {
  const file = `--service ${init.file}`
  const named = { file, advice: WANTED, maxBytes: MAX_SETTINGS_BYTES, signal: cli.signal }
  const bytes = await readBytes(resolve(cli.cwd, init.file), named)
  try {
    const first = bytes.find((byte) => byte > 0x20)
    // an announcement's tuple, or a body, in dag-cbor; JSON begins with a bracket, a brace or a comment
    if (first !== undefined && first >= 0x80) return ofSigned(decodeAnnouncement(bytes))
    const value = textToJson(utf8(bytes, file), file)
    if (Array.isArray(value)) return ofSigned(decodeAnnouncement(fromJson(value)))
    if (typeof value !== 'object' || value === null) throw new InputError(`${file} is no service; ${WANTED}`)
    if ('announcement' in value) return ofSigned(decodeAnnouncement(fromJson(value.announcement)))
    if ('body' in value && 'sig' in value) return ofSigned(ofPair(value))
    if ('id' in value && 'author' in value) return ofReceived(value)
    if ('name' in value) return await ofManifest(value)
    throw new InputError(`${file} is no service; ${WANTED}`)
  } catch (error) {
    if (error instanceof ProtocolError) throw new InputError(`${file}: ${messageOf(error)}`, { cause: error })
    throw error
  }

  function ofReceived(value: object): ServiceFile {
    const service = readReceived(value, file)
    const author = addressBytes(parseAddress(service.author))
    return {
      service,
      subject: { code: parseCid(service.code, 'code'), author, staples: [] },
      depth: undefined,
      assumed: [],
    }
  }

  function ofSigned({ signed, ticket }: { signed: Signed; ticket?: { depth: number } | undefined }): ServiceFile {
    if (signed.kind === 'stop') throw new InputError(`${file} is a stop, about which no runner is asked; ${WANTED}`)
    const service = toReceivedService(signed.id, signed.body, signed.bytes.byteLength)
    const subject = subjectOf(signed.body)
    return { service, subject, depth: ticket?.depth, assumed: ['its signature is right: it is not checked here'] }
  }

  async function ofManifest(value: unknown): Promise<ServiceFile> {
    const manifest = parseManifest(value, file)
    const named = { dir: dirname(resolve(cli.cwd, init.file)), files: manifest.staple }
    const staples = await loadStaples(cli.clock, [named], { signal: cli.signal })
    const { reach } = issueTicket(manifest.depth, cli.rng.bytes(32))
    const code = manifest.code === undefined ? cidOfBytes(new Uint8Array()) : parseCid(manifest.code, 'code')
    const signing = { author: init.author, seq: 1, issued: nowSeconds(cli.clock), replyTo: [], reach, code, staples }
    const body = manifestToBody(manifest, signing, file)
    const encoded = encodeService(body)
    const service = toReceivedService(cidOfStructure(encoded), body, encoded.byteLength)
    const assumed = [`the author is ${service.author} (${init.authorIs})`]
    if (manifest.code === undefined) assumed.push('peers have its code: the folder was not packed')
    return { service, subject: subjectOf(body), depth: manifest.depth, assumed }
  }
}

function subjectOf({ code, author, statements, credentials }: ServiceBody): TrustSubject {
  return { code, author, staples: [...statements, ...credentials] }
}

/** What DAG-JSON says, as the bytes that travel. */
function fromJson(value: unknown): Uint8Array {
  const inner = fromDagJson(JSON.stringify(value))
  return inner instanceof Uint8Array ? inner : encodeCanonical(inner)
}

function ofPair(value: object): { signed: Signed } {
  const { body, sig } = fromDagJson(JSON.stringify(value)) as { body: unknown; sig: unknown }
  if (body instanceof Uint8Array && sig instanceof Uint8Array) return { signed: decodeSigned(body, sig) }
  throw new ProtocolError('', 'body and sig must be bytes, in DAG-JSON {"/":{"bytes":"..."}}')
}

function utf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InputError(`${file} is neither dag-cbor nor text in UTF-8; ${WANTED}`, { cause })
  }
}
