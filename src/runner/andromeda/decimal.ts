/** Digits behind the point that an amount may have: on the wire and in the configuration. */
const DIGITS = 18
/** Twice so many digits are a number below 2^53. */
const SHORT = 7
const SHORT_PART = 10n ** BigInt(DIGITS - SHORT)
const AMOUNT = /^(0|[1-9]\d{0,38})(?:\.(\d{1,18}))?$/

/** An amount as a whole number of its smallest parts (10^-18), so that nothing is ever rounded; undefined where it is none. */
export function parseAmount(text: string): bigint | undefined {
  const match = AMOUNT.exec(text)
  if (match === null) return undefined
  const [, whole, fraction = ''] = match as unknown as [string, string, string?]
  // What a number holds exactly takes a fifth of the time that way; nearly every amount is so small.
  if (whole.length <= SHORT && fraction.length <= SHORT) {
    return BigInt(Number(whole + fraction.padEnd(SHORT, '0'))) * SHORT_PART
  }
  return BigInt(whole + fraction.padEnd(DIGITS, '0'))
}

/** Decimal text: as short as it can be. */
export function formatAmount(parts: bigint): string {
  const text = parts.toString().padStart(DIGITS + 1, '0')
  const fraction = text.slice(-DIGITS).replace(/0+$/, '')
  return fraction === '' ? text.slice(0, -DIGITS) : `${text.slice(0, -DIGITS)}.${fraction}`
}

/** The quotient, rounded up. */
export function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
