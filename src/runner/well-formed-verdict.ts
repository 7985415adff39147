import { MAX_REASON_LENGTH, MAX_REASONS } from '../../protocols/limits.ts'
import { EXECUTOR_NAMES, type Verdict } from '../base/verdict.ts'

const VERDICT = new Set(['run', 'redirect', 'park', 'evict', 'rank', 'reasons'])
const REASON = new Set(['rule', 'outcome', 'message', 'needs', 'warned'])
const NEED = new Set(['field', 'must', 'value'])
const GRANT = new Set([
  ...['executor', 'pool', 'memoryBytes', 'cpuMillicores', 'diskBytes', 'pids', 'timeoutSeconds', 'network'],
])
const NETWORK = new Set(['mode', 'allow', 'rateKbps'])
const CONDITION = new Set(['on', 'code', 'chain', 'author', 'executor'])
const PLAIN_CONDITIONS = new Set<unknown>(['capacity', 'policy', 'replica'])
const OUTCOMES = new Set<unknown>(['pass', 'fail', 'defer'])
const WARNED = new Set<unknown>([undefined, 'fail', 'defer'])
const MUSTS = new Set<unknown>(['at-most', 'at-least', 'one-of', 'match', 'be'])
const EXECUTORS = new Set<unknown>(EXECUTOR_NAMES)

/**
 * Is this, without any doubt, a verdict as the schema wants it, with nothing in it to be made safe? The schema examines
 * what is not: it names what is wrong, and takes ten times as long, which is unnecessary for nearly every verdict.
 * `value` comes from JSON.
 */
export function isWellFormedVerdict(value: unknown): value is Verdict {
  if (!hasOnly(value, VERDICT)) return false
  const { run, redirect, rank, park, evict, reasons } = value
  if (typeof redirect !== 'boolean' || !(run === false || isGrant(run))) return false
  if (rank !== undefined && !(typeof rank === 'number' && Number.isFinite(rank))) return false
  if (park !== undefined && !isListOf(park, 16, isCondition)) return false
  if (evict !== undefined && !isListOf(evict, 64, (id) => isText(id, 128, 1))) return false
  return isListOf(reasons, MAX_REASONS, isReason) && reasons.length > 0
}

function isCondition(value: unknown): boolean {
  if (!hasOnly(value, CONDITION)) return false
  const { on, code, chain, author } = value
  const fields = Object.keys(value).length
  if (on === 'quorum') return isText(code, 128, 1) && fields === 2
  if (on === 'freeze') return isText(chain, 128, 1) && fields === 2
  if (on === 'delegation') return isText(author, 128, 1) && fields === 2
  if (on === 'executor') return fields === 2 && EXECUTORS.has(value.executor)
  return PLAIN_CONDITIONS.has(on) && fields === 1
}

function isReason(value: unknown): boolean {
  if (!hasOnly(value, REASON)) return false
  const { rule, outcome, message, needs, warned } = value
  if (!isText(rule, 64, 1) || !isText(message, MAX_REASON_LENGTH, 0)) return false
  return OUTCOMES.has(outcome) && WARNED.has(warned) && (needs === undefined || isNeed(needs))
}

function isNeed(value: unknown): boolean {
  if (!hasOnly(value, NEED)) return false
  return isText(value.field, 64, 1) && MUSTS.has(value.must) && isText(value.value, MAX_REASON_LENGTH, 0)
}

function isGrant(value: unknown): boolean {
  if (!hasOnly(value, GRANT)) return false
  const { executor, pool, memoryBytes, cpuMillicores, diskBytes, pids, timeoutSeconds, network } = value
  const whole =
    isInteger(memoryBytes, 1) && isInteger(cpuMillicores, 1) && isInteger(diskBytes, 0) && isInteger(pids, 1)
  if (!(pool === undefined || isText(pool, 256, 1))) return false
  if (!whole || !EXECUTORS.has(executor) || !(timeoutSeconds === undefined || isInteger(timeoutSeconds, 1)))
    return false
  return isNetwork(network)
}

function isNetwork(value: unknown): boolean {
  if (!hasOnly(value, NETWORK)) return false
  const { mode, allow, rateKbps } = value
  if (mode === 'none') return Object.keys(value).length === 1
  if (rateKbps !== undefined && !isInteger(rateKbps, 1)) return false
  if (mode === 'open') return !('allow' in value)
  return mode === 'allowlist' && isListOf(allow, 256, (target) => isText(target, 261, 3))
}

/** Printable ASCII, where characters are bytes and none can move a terminal's cursor. */
function isText(value: unknown, max: number, min: number): boolean {
  return typeof value === 'string' && value.length >= min && value.length <= max && /^[ -~]*$/.test(value)
}

function isInteger(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min
}

function isListOf(value: unknown, max: number, is: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.length <= max && value.every(is)
}

function hasOnly(value: unknown, keys: ReadonlySet<string>): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const key in value) if (!keys.has(key)) return false
  return true
}
