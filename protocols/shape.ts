import { z } from 'zod'
import { decodeAddress } from './address.ts'
import { type CID, decodeCanonical, isWireCid } from './encoding.ts'
import { ProtocolError } from './errors.ts'

/** Text of at most `max` bytes of UTF-8 (bytes, so that every language counts alike). */
export function text(max: number, min = 0) {
  return z.string().superRefine((value, context) => {
    const bytes = Buffer.byteLength(value)
    if (bytes > max) context.addIssue({ code: 'custom', message: `has ${bytes} bytes of UTF-8, at most ${max} are allowed` })
    if (bytes < min) context.addIssue({ code: 'custom', message: `must have at least ${min} bytes` })
  })
}

export function bytes(length?: number) {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && (length === undefined || value.byteLength === length),
    length === undefined ? 'must be bytes' : `must be ${length} bytes`,
  )
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z.int(`must be a whole number from ${min} to ${max}`).min(min, `must be at least ${min}`).max(max, `must be at most ${max}`)
}

export function listOf<T extends z.ZodType>(item: T, max: number) {
  return z.array(item).max(max, `has more than ${max} entries`)
}

/** Whole seconds since 1970, UTC. */
export const seconds = wholeNumber(0)

export const cid = z.custom<CID>(isWireCid, 'must be a CIDv1, raw or dag-cbor, of a sha2-256 hash')

/** Address bytes that have the shape of a key. That it is a valid point is checked with the signature. */
export const addressOf = z.custom<Uint8Array>((value) => {
  try {
    decodeAddress(value as Uint8Array)
    return value instanceof Uint8Array
  } catch {
    return false
  }
}, 'must be address bytes (multicodec and raw key)')

/** An amount: digits, optionally a point and more digits; never a float. */
export const amount = z.string().regex(/^(0|[1-9]\d{0,38})(\.\d{1,18})?$/, 'must be a decimal number as text, like "0.25"')

/** Checks a decoded value; throws a ProtocolError with one sentence that names the field. */
export function parseShape<T extends z.ZodType>(schema: T, value: unknown, field = ''): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  throw new ProtocolError(joinPath(field, issue.path), sentenceOf(issue))
}

export function decodeShape<T extends z.ZodType>(schema: T, encoded: Uint8Array, field = ''): z.output<T> {
  return parseShape(schema, decodeCanonical(encoded), field)
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has the unknown key "${issue.keys[0]?.slice(0, 64)}"`
  return issue.message
}

function joinPath(field: string, path: PropertyKey[]): string {
  return path.reduce<string>((all, key) => {
    if (typeof key === 'number') return `${all}[${key}]`
    return all === '' ? String(key) : `${all}.${String(key)}`
  }, field)
}
