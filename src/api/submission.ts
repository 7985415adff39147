import { encodeCanonical, fromDagJson } from '../../protocols/encoding.ts'
import { MAX_ANNOUNCEMENT_BYTES } from '../../protocols/limits.ts'
import { sanitizeText } from '../base/format.ts'
import { HttpProblem } from './http-errors.ts'

/** What `POST /service` was given. */
export type Submission =
  /** said to be dag-cbor of an announcement: the node reads it, and only once */
  | { readonly kind: 'announcement'; readonly bytes: Uint8Array }
  /** an unsigned manifest, not validated yet */
  | { readonly kind: 'manifest'; readonly manifest: unknown }

type Form = { readonly encoding: 'cbor' | 'json'; readonly max: number }

/** DAG-JSON writes bytes in base64, under a name. */
const FORMS: Record<string, Form> = {
  'application/cbor': { encoding: 'cbor', max: MAX_ANNOUNCEMENT_BYTES },
  'application/vnd.ipld.dag-cbor': { encoding: 'cbor', max: MAX_ANNOUNCEMENT_BYTES },
  'application/json': { encoding: 'json', max: MAX_ANNOUNCEMENT_BYTES * 2 },
  'application/vnd.ipld.dag-json': { encoding: 'json', max: MAX_ANNOUNCEMENT_BYTES * 2 },
}

const WANTED =
  'send an announcement [1, body, sig, depth, proof] or { "announcement": ... }, or a manifest with a "name"'

export function formOf(contentType: string | null): Form {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (Object.hasOwn(FORMS, type)) return FORMS[type] as Form
  const given = type === '' ? 'no Content-Type' : `the Content-Type ${JSON.stringify(sanitizeText(type, 80))}`
  throw new HttpProblem(415, `the body has ${given}; allowed are ${Object.keys(FORMS).join(', ')}`)
}

/** Throws a ProtocolError or an HttpProblem with one sentence. */
export function readSubmission(body: Uint8Array, { encoding }: Form): Submission {
  if (encoding === 'cbor') return announcement(body)
  const value = fromDagJson(textOf(body))
  if (Array.isArray(value)) return announcement(encodeCanonical(value))
  if (typeof value !== 'object' || value === null) throw new HttpProblem(400, `the body is no object; ${WANTED}`)
  if ('announcement' in value) {
    const inner = value.announcement
    return announcement(inner instanceof Uint8Array ? inner : encodeCanonical(inner))
  }
  if ('name' in value) return { kind: 'manifest', manifest: value }
  throw new HttpProblem(400, `the body is neither an announcement nor a manifest; ${WANTED}`)
}

function announcement(bytes: Uint8Array): Submission {
  return { kind: 'announcement', bytes }
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new HttpProblem(400, 'the body is no UTF-8 text', { cause })
  }
}
