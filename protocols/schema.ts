import { z } from 'zod'
import { addressTypeOf } from './address.ts'
import { type CID, decodeCanonical, encodeCanonical, isStructureCid, isWireCid } from './encoding.ts'
import { fieldPath, ProtocolError, quoted } from './errors.ts'
import { MAX_STATEMENT_SECONDS } from './limits.ts'

/** Text of `min` to `max` bytes of UTF-8 (bytes, so that every language counts alike). */
export function text(max: number, min = 0) {
  return z.string().refine((value) => fits(value, min, max), `must have ${min} to ${max} bytes of UTF-8`)
}

function fits(value: string, min: number, max: number): boolean {
  // a UTF-16 unit takes one to three bytes: most texts need no counting
  if (value.length >= min && value.length * 3 <= max) return true
  const length = Buffer.byteLength(value)
  return length >= min && length <= max
}

export function bytes(length?: number) {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && (length === undefined || value.byteLength === length),
    length === undefined ? 'must be bytes' : `must be ${length} bytes`,
  )
}

/** Bytes that are a message themselves, not read yet: no longer than such a message may be. */
export function innerBytes(max: number) {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.byteLength <= max,
    `must be at most ${max} bytes`,
  )
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
}

export function listOf<T extends z.ZodType>(item: T, max: number) {
  return z.array(item).max(max, `has more than ${max} entries`)
}

/** Whole seconds since 1970, UTC. */
export const seconds = wholeNumber(0)

export const cid = z.custom<CID>(isWireCid, 'must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')

/** The id of a service, stop or statement. */
export const structureId = z.custom<CID>(isStructureCid, 'must be an id: a CIDv1, dag-cbor, of a sha2-256 hash')

/** Address bytes that have the shape of a key. That it is a valid point is checked with the signature. */
export const addressOf = z.custom<Uint8Array>((value) => {
  return value instanceof Uint8Array && addressTypeOf(value) !== undefined
}, 'must be address bytes (multicodec and raw key)')

/** An amount: digits, optionally a point and more digits; never a float. */
export const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,38})(\.\d{1,18})?$/, 'must be a decimal number as text, like "0.25"')

/** `expires` of a statement comes after `issued`, at most 366 days later. */
export function checkStatementLifetime(body: { issued: number; expires: number }, context: z.RefinementCtx): void {
  if (body.expires > body.issued && body.expires - body.issued <= MAX_STATEMENT_SECONDS) return
  const message = `must be later than issued, by at most ${MAX_STATEMENT_SECONDS} seconds`
  context.addIssue({ code: 'custom', path: ['expires'], message })
}

/** Checks a decoded value; throws a ProtocolError with one sentence that names the field. */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, field = ''): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  throw new ProtocolError(fieldPath(issue.path, field), sentenceOf(issue))
}

export function decodeWith<T extends z.ZodType>(
  schema: T,
  encoded: Uint8Array,
  maxBytes: number,
  field = '',
): z.output<T> {
  checkSize(encoded, maxBytes, field)
  return parseWith(schema, decodeCanonical(encoded, field), field)
}

/** Encodes only what the other side will accept. */
export function encodeWith<T extends z.ZodType>(schema: T, value: z.input<T>, maxBytes: number): Uint8Array {
  parseWith(schema, value)
  // the value itself, not what the schema made of it: a key that a schema drops in silence (__proto__) must be refused
  const encoded = encodeCanonical(value)
  checkSize(encoded, maxBytes, '')
  return encoded
}

export function checkSize(encoded: Uint8Array, maxBytes: number, field: string): void {
  if (encoded.byteLength > maxBytes) {
    throw new ProtocolError(field, `has ${encoded.byteLength} bytes, at most ${maxBytes} are allowed`)
  }
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has the unknown key ${quoted(issue.keys[0] ?? '', 64)}`
  if (issue.code === 'invalid_type') {
    return issue.message.endsWith('received undefined') ? 'is missing' : `must be ${issue.expected}`
  }
  if (issue.code === 'invalid_value')
    return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  if (issue.code === 'invalid_union') return 'is none of the kinds that are allowed here'
  return issue.message
}
