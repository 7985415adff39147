import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Address, formatAddress, formatLegacy, isValidKey, parseAddress } from '../../../../protocols/address.ts'
import { addressMatcher } from '../../../../src/runner/andromeda/address-matcher.ts'
import { ceilDivide, formatAmount, parseAmount } from '../../../../src/runner/andromeda/decimal.ts'
import { forAll } from '../../../fixtures/property.ts'

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength })

it('an amount: is read exactly, however long', () => {
  forAll(1000, [digits(39), fc.option(digits(18), { nil: '' })], (leading, fraction) => {
    const whole = leading.replace(/^0+(?=\d)/, '')
    const text = fraction === '' ? whole : `${whole}.${fraction}`
    expect(parseAmount(text)).toBe(BigInt(whole) * 10n ** 18n + BigInt(fraction.padEnd(18, '0')))
    expect(parseAmount(formatAmount(parseAmount(text) as bigint))).toBe(parseAmount(text))
  })
})

it.each(['', '-1', '1.', '.5', '01', '1e3', '1.0000000000000000000', `1${'0'.repeat(39)}`, ' 1', '1\n', 'NaN'])(
  'is not %j',
  (text) => expect(parseAmount(text)).toBeUndefined(),
)

it('an amount: is written as short as it can be', () => {
  expect(formatAmount(0n)).toBe('0')
  expect(formatAmount(parseAmount('10.50') as bigint)).toBe('10.5')
  expect(formatAmount(1n)).toBe('0.000000000000000001')
})

it('an amount: is divided upwards', () => {
  expect([ceilDivide(0n, 3n), ceilDivide(1n, 3n), ceilDivide(3n, 3n), ceilDivide(4n, 3n)]).toEqual([0n, 1n, 1n, 2n])
})

const BLS = '63dMQGT8u5BvsAE7UniDSbBDmK6igBvcwSVHotaQ6938eMRYPbZSHwAYTgQcACQ2KK'

it('the spellings of an address: are those that read back as it, for every key', () => {
  let seen = 0
  const key = fc.oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc.uint8Array({ minLength: 31, maxLength: 31 }).map((rest) => Uint8Array.of(0, ...rest)),
  )
  forAll(1500, [key], (bytes) => {
    const address: Address = { type: 'ed25519', key: bytes }
    if (!isValidKey(address)) return
    seen++
    const text = formatAddress(address)
    const isIt = addressMatcher(text)
    const plain = text.replace('ed25519:', '')
    const legacy = formatLegacy(address)
    for (const spelling of [text, `ed25519:${plain}`, legacy]) expect(isIt(spelling)).toBe(true)
    expect(isIt(legacy.replace('legacy:', ''))).toBe(true)
    expect(isIt(`${plain}1`)).toBe(false)
    expect(isIt(`legacy:${plain}`)).toBe(false)
    expect(isIt('')).toBe(false)
  })
  expect(seen).toBeGreaterThan(20)
})

it('the spellings of an address: include those of a multisig', () => {
  const hex = Buffer.from(parseAddress(BLS).key).toString('hex')
  for (const spelling of [BLS, `bls12-381:${BLS}`, `0x${hex}`, `bls12-381:0x${hex.toUpperCase()}`]) {
    expect(formatAddress(parseAddress(spelling))).toBe(BLS)
    expect(addressMatcher(BLS)(spelling)).toBe(true)
  }
  expect(addressMatcher(BLS)(`0x${hex.replace(/.$/, 'z')}`)).toBe(false)
})
