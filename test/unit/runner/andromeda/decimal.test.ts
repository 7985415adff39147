import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ceilDivide, formatAmount, parseAmount } from '../../../../src/runner/andromeda/decimal.ts'

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength })

describe('an amount', () => {
  it('is read exactly, however long', () => {
    fc.assert(
      fc.property(digits(39), fc.option(digits(18), { nil: '' }), (leading, fraction) => {
        const whole = leading.replace(/^0+(?=\d)/, '')
        const text = fraction === '' ? whole : `${whole}.${fraction}`
        expect(parseAmount(text)).toBe(BigInt(whole) * 10n ** 18n + BigInt(fraction.padEnd(18, '0')))
        expect(parseAmount(formatAmount(parseAmount(text) as bigint))).toBe(parseAmount(text))
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['', '-1', '1.', '.5', '01', '1e3', '1.0000000000000000000', `1${'0'.repeat(39)}`, ' 1', '1\n', 'NaN'])(
    'is not %j',
    (text) => expect(parseAmount(text)).toBeUndefined(),
  )

  it('is written as short as it can be', () => {
    expect(formatAmount(0n)).toBe('0')
    expect(formatAmount(parseAmount('10.50') as bigint)).toBe('10.5')
    expect(formatAmount(1n)).toBe('0.000000000000000001')
  })

  it('is divided upwards', () => {
    expect([ceilDivide(0n, 3n), ceilDivide(1n, 3n), ceilDivide(3n, 3n), ceilDivide(4n, 3n)]).toEqual([0n, 1n, 1n, 2n])
  })
})
