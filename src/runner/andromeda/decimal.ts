/** Digits behind the point that an amount may have: on the wire and in the configuration. */
const DIGITS = 18
const AMOUNT = /^(0|[1-9]\d{0,38})(?:\.(\d{1,18}))?$/

/** An amount as a whole number of its smallest parts (10^-18), so that nothing is ever rounded; undefined where it is none. */
export function parseAmount(text: string): bigint | undefined {
  const match = AMOUNT.exec(text)
  return match === null ? undefined : BigInt((match[1] as string) + (match[2] ?? '').padEnd(DIGITS, '0'))
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
