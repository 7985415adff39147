import { z } from 'zod'
import { type Address, addressKey } from '../../protocols/address.ts'
import { messageOf } from '../base/errors.ts'
import { closestMatch, joinWords, parseBytes, parseSeconds } from '../base/format.ts'
import { MAX_PROBLEMS } from './constants.ts'
import { addressOf, canonicalOf } from './files/known-addresses.ts'

/**
 * The building blocks of every file's schema. A message says what is allowed ("a whole number from 0 to 8");
 * the file, the key and the value are put before it in one place (problem.ts).
 */

/** An object that knows all its keys. An unknown one is refused, with the key that was probably meant. */
export function keys<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape).filter((key) => key !== '$schema')
  return z.strictObject(shape, {
    // a line for each, which problem.ts puts into a sentence each
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .slice(0, MAX_PROBLEMS)
            .map((key) => hint(key, known))
            .join('\n')
        : 'an object',
  })
}

export function whole(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`
  return z.int(allowed).min(min, allowed).max(max, allowed)
}

export function flag() {
  return z.boolean('true or false')
}

export function words(max: number) {
  return list(utf8(64, 1), max)
}

/** Text, counted in bytes of UTF-8, so that every language counts alike. */
export function utf8(max: number, min = 0) {
  const allowed = `text of ${min > 0 ? `${min} to` : 'at most'} ${max} bytes`
  return z.string(allowed).refine((value) => Buffer.byteLength(value) <= max && value.length >= min, allowed)
}

export function list<T extends z.ZodType>(item: T, max: number) {
  const allowed = `a list of at most ${max} entries`
  return z.array(item, allowed).max(max, allowed)
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const quoted = values.map((value) => `"${value}"`)
  return z.enum(values, `${values.length > 2 ? 'one of ' : ''}${joinWords(quoted, 'or')}`)
}

/** A map from names that people choose, of at most `max` entries. */
export function record<K extends z.core.$ZodRecordKey, T extends z.ZodType>(
  key: K,
  value: T,
  max: number,
  allowed: string,
) {
  return z
    .record(key, value, { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : allowed) })
    .superRefine((entries, context) => void refuseMany(entries, max, context))
}

function refuseMany(entries: object, max: number, context: z.RefinementCtx): boolean {
  const count = Object.keys(entries).length
  if (count > max) sentence(context, [], `has ${count} entries; allowed are at most ${max}`)
  return count > max
}

/** Bytes: a number, or text with a unit. */
export function size(min = 0) {
  const allowed = `a size like 268435456 or "256MiB"${min > 0 ? `, at least ${min}` : ''}`
  return z.union([z.number(), z.string()], allowed).transform((value, context) => {
    const bytes = typeof value === 'string' ? parseBytes(value) : value
    if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= min) return bytes
    return refuse(context, allowed)
  })
}

/** Seconds: a number, or text with a unit. */
export function duration(min: number, max: number) {
  const allowed = `a time like 90, "15m", "24h" or "7d", from ${min} to ${max} seconds`
  return z.union([z.number(), z.string()], allowed).transform((value, context) => {
    const seconds = typeof value === 'string' ? parseSeconds(value) : value
    if (seconds !== undefined && Number.isSafeInteger(seconds) && seconds >= min && seconds <= max) return seconds
    return refuse(context, allowed)
  })
}

/** Thousandths of a core: a number of them, or a number of cores as text ("0.5"). */
export function millicores(min = 0) {
  const allowed = 'thousandths of a core like 500, or cores as text like "0.5"'
  return z.union([z.number(), z.string()], allowed).transform((value, context) => {
    const cpu =
      typeof value === 'number' ? value : /^\d{1,5}(\.\d{1,3})?$/.test(value) ? Math.round(Number(value) * 1000) : -1
    if (Number.isSafeInteger(cpu) && cpu >= min) return cpu
    return refuse(context, allowed)
  })
}

/** "2000-2999" -> its first and last number; -1 for each that is none. */
export function rangeOf(text: string): { first: number; last: number } {
  const [, first = -1, last = -1] = (/^(\d{1,10})-(\d{1,10})$/.exec(text) ?? []).map(Number)
  return { first, last }
}

/** Numbers from one to another, as text: "2000-2999". */
export function idRange(min: number, max: number, least: number) {
  const allowed = `a range like "2000000000-2000065535", from ${min} to ${max}, of at least ${least} numbers`
  return z.string(allowed).refine((value) => {
    const { first, last } = rangeOf(value)
    return first >= min && last <= max && last - first + 1 >= least
  }, allowed)
}

/** An amount: decimal digits as text, or a whole number. */
export function decimal() {
  const allowed = 'an amount like 10 or "0.25"'
  return z.union([z.number(), z.string()], allowed).transform((value, context) => {
    const text = String(value)
    return /^(0|[1-9]\d{0,38})(\.\d{1,18})?$/.test(text) ? text : refuse(context, allowed)
  })
}

/** Reading an address takes up to a millisecond: this many are read in a second. */
const MAX_ADDRESSES = 1000

/** A map from addresses. Comes out with canonical spellings; one key in two spellings is a contradiction. */
export function addressMap<T extends z.ZodType>(
  value: T,
  { max = MAX_ADDRESSES, allowed = 'an object from address to settings' } = {},
) {
  const whole = z.record(z.string(), value, allowed)
  return whole.transform((entries, context) => {
    if (refuseMany(entries, max, context)) return z.NEVER
    const found = new Map<string, string>()
    const canonical: Record<string, z.output<T>> = {}
    for (const [text, settings] of Object.entries(entries) as [string, z.output<T>][]) {
      const address = readAddress(text, context, [text])
      if (address === undefined) continue
      const earlier = found.get(addressKey(address))
      if (earlier !== undefined) {
        sentence(context, [text], `is another spelling of ${earlier}, which is listed too; keep one of them`)
      }
      found.set(addressKey(address), text)
      canonical[canonicalOf(text)] = settings
    }
    return canonical
  })
}

/** Addresses; come out with canonical spellings. */
export function addressList(max: number) {
  return list(z.string('an address'), max).transform((texts, context) =>
    texts.map((text, index) => canonicalAddress(text, context, [index])),
  )
}

/** The canonical text of an address; the text itself, with a problem reported, where it is none. */
function canonicalAddress(text: string, context: z.RefinementCtx, path: PropertyKey[]): string {
  const address = readAddress(text, context, path)
  return address === undefined ? text : canonicalOf(text)
}

function readAddress(text: string, context: z.RefinementCtx, path: PropertyKey[]): Address | undefined {
  try {
    return addressOf(text, '')
  } catch (error) {
    sentence(context, path, `is no usable address: ${messageOf(error)}`)
    return undefined
  }
}

/** Reports a problem that needs its own text instead of "is X; allowed is Y". */
export function sentence(context: z.RefinementCtx, path: PropertyKey[], words: string): void {
  context.addIssue({ code: 'custom', path, message: words, params: { sentence: true } })
}

function refuse(context: z.RefinementCtx, allowed: string): never {
  context.addIssue({ code: 'custom', message: allowed })
  return z.NEVER
}

/** A longer text is not a misspelt key of ours, and comparing takes time. */
const MAX_MISSPELLED = 64

function hint(unknown: string, known: readonly string[]): string {
  const near = unknown.length > MAX_MISSPELLED ? undefined : closestMatch(unknown, known)
  return near === undefined ? `known keys are ${joinWords(known)}` : `did you mean ${near}?`
}
