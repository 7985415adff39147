import { z } from 'zod'
import { MAX_REASON_LENGTH, MAX_REASONS } from '../../protocols/limits.ts'
import { sanitizeText, truncateUtf8 } from '../base/format.ts'
import { EXECUTOR_NAMES, type Verdict } from '../base/verdict.ts'
import { RunnerError } from './errors.ts'
import { isWellFormedVerdict } from './well-formed-verdict.ts'

const safeString = (max: number, min = 0) =>
  z.string().refine((text) => {
    // One UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting.
    if (text.length < min) return false
    return text.length * 3 <= max || Buffer.byteLength(text) <= max
  }, `must be text of ${min} to ${max} bytes`)
/** Characters that move a terminal's cursor or reorder text: they come from a service that a reason quotes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const shown = (max: number, min = 0) =>
  safeString(max, min).transform((text) =>
    UNSHOWABLE.test(text) ? truncateUtf8(sanitizeText(text, text.length), max) : text,
  )
const whole = (min: number) => z.int(`must be a whole number, at least ${min}`).min(min)

const needSchema = z.strictObject({
  field: shown(64, 1),
  must: z.enum(['at-most', 'at-least', 'one-of', 'match', 'be']),
  value: shown(MAX_REASON_LENGTH),
})

const reasonSchema = z.strictObject({
  rule: shown(64, 1),
  outcome: z.enum(['pass', 'fail', 'defer']),
  message: shown(MAX_REASON_LENGTH),
  needs: needSchema.optional(),
  warned: z.enum(['fail', 'defer']).optional(),
})

const networkSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({
    mode: z.literal('allowlist'),
    allow: z.array(safeString(261, 3)).max(256),
    rateKbps: whole(1).optional(),
  }),
  z.strictObject({ mode: z.literal('open'), rateKbps: whole(1).optional() }),
])

const grantSchema = z.strictObject({
  executor: z.enum(EXECUTOR_NAMES),
  pool: safeString(256, 1).optional(),
  memoryBytes: whole(1),
  cpuMillicores: whole(1),
  diskBytes: whole(0),
  pids: whole(1),
  timeoutSeconds: whole(1).optional(),
  network: networkSchema,
})

const conditionSchema = z.discriminatedUnion('on', [
  z.strictObject({ on: z.literal('capacity') }),
  z.strictObject({ on: z.literal('policy') }),
  z.strictObject({ on: z.literal('quorum'), code: safeString(128, 1) }),
  z.strictObject({ on: z.literal('freeze'), chain: safeString(128, 1) }),
  z.strictObject({ on: z.literal('delegation'), author: safeString(128, 1) }),
  z.strictObject({ on: z.literal('replica') }),
  z.strictObject({ on: z.literal('executor'), executor: z.enum(EXECUTOR_NAMES) }),
])

export const verdictSchema = z.strictObject({
  run: z.union([z.literal(false), grantSchema], 'must be a grant or false'),
  redirect: z.boolean('must be true or false'),
  park: z.array(conditionSchema).max(16).optional(),
  evict: z.array(safeString(128, 1)).max(64).optional(),
  rank: z.number('must be a number').optional(),
  reasons: z.array(reasonSchema).max(MAX_REASONS),
})

const NO_VERDICT = 'the runner returned nothing, which means drop'
const NO_REASON = 'the runner gave no reason'

/** What a runner returned, as a verdict. Nothing (null or undefined) means drop; any other value is a RunnerError. */
export function readVerdict(value: unknown): Verdict {
  if (value === null || value === undefined) {
    return { run: false, redirect: false, reasons: [silence(NO_VERDICT)] }
  }
  if (isWellFormedVerdict(value)) return value
  const result = verdictSchema.safeParse(value)
  if (!result.success) throw new RunnerError('nonsense', `the runner answered nonsense: ${describe(result.error)}`)
  const verdict = result.data
  if (verdict.reasons.length > 0) return verdict
  if (verdict.run !== false) {
    return { ...verdict, reasons: [{ rule: 'runner', outcome: 'pass', message: NO_REASON }] }
  }
  return { ...verdict, reasons: [silence(NO_REASON)] }
}

/** Did the runner say nothing of its own: no verdict at all, or one without a reason? */
export function silenceOf({ reasons: [first] }: Verdict): 'no verdict' | 'no reason' | undefined {
  if (first?.rule !== 'runner') return undefined
  if (first.message.startsWith(NO_VERDICT)) return 'no verdict'
  return first.message.startsWith(NO_REASON) ? 'no reason' : undefined
}

function silence(message: string) {
  return { rule: 'runner', outcome: 'fail', message: `${message}; only its operator can say what would help` } as const
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'not a verdict'
  const deepest = issue.code === 'invalid_union' ? (issue.errors.flat()[0] ?? issue) : issue
  const path = [...issue.path, ...(deepest === issue ? [] : deepest.path)].map(String).join('.')
  const safeString = issue.code === 'invalid_union' && path === 'run' ? issue.message : deepest.message
  return path === '' ? safeString : `${path}: ${safeString}`
}
