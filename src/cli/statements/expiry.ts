import { MAX_STATEMENT_SECONDS } from '../../../protocols/limits.ts'
import { InputError } from '../../base/errors.ts'
import { parseSeconds } from '../../base/format.ts'
import { clockTime } from '../output/text.ts'

const ALLOWED = 'allowed is a time like "90d" or "12h", or a day like 2027-01-31 (its end, UTC), at most 366 days away'
const DAY_SECONDS = 86_400

/** When a statement ends, seconds: from --until. */
export function expiryOf(until: string, nowSeconds: number): number {
  const expires = parseUntil(until, nowSeconds)
  const problem = (what: string) => new InputError(`--until is ${JSON.stringify(until)}${what}; ${ALLOWED}`)
  if (expires === undefined) throw problem('')
  if (expires <= nowSeconds) throw problem(', which is past')
  if (expires - nowSeconds > MAX_STATEMENT_SECONDS) throw problem(', which is too far away')
  return expires
}

function parseUntil(until: string, nowSeconds: number): number | undefined {
  const seconds = parseSeconds(until)
  if (seconds !== undefined) return nowSeconds + seconds
  if (/^\d{4}-\d{2}-\d{2}$/.test(until)) {
    const start = Date.parse(`${until}T00:00:00Z`)
    // Date accepts a 30th of February; it is not a date
    return Number.isNaN(start) || dayText(start / 1000) !== until ? undefined : start / 1000 + DAY_SECONDS
  }
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(until)) return undefined
  const moment = Date.parse(until)
  return Number.isNaN(moment) ? undefined : Math.floor(moment / 1000)
}

/** "2027-01-31" */
export function dayText(seconds: number): string {
  return clockTime(seconds * 1000).slice(0, 10)
}

/** "2027-01-31 23:00 UTC" */
export function minuteText(seconds: number): string {
  return `${clockTime(seconds * 1000).slice(0, 16)} UTC`
}
