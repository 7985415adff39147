import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, formatAddress, formatLegacy, isValidKey, parseAddress } from '../../../../protocols/address.ts'
import { spellingOf } from '../../../../src/runner/andromeda/address-spelling.ts'

const BLS = '63dMQGT8u5BvsAE7UniDSbBDmK6igBvcwSVHotaQ6938eMRYPbZSHwAYTgQcACQ2KK'

describe('the spellings of an address', () => {
  it('are those that read back as it, for every key', () => {
    let seen = 0
    const key = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 31, maxLength: 31 }).map((rest) => Uint8Array.of(0, ...rest)),
    )
    fc.assert(
      fc.property(key, (bytes) => {
        const address: Address = { type: 'ed25519', key: bytes }
        if (!isValidKey(address)) return
        seen++
        const text = formatAddress(address)
        const isIt = spellingOf(text)
        const plain = text.replace('ed25519:', '')
        const legacy = formatLegacy(address)
        for (const spelling of [text, `ed25519:${plain}`, legacy]) expect(isIt(spelling)).toBe(true)
        expect(isIt(legacy.replace('legacy:', ''))).toBe(true)
        expect(isIt(`${plain}1`)).toBe(false)
        expect(isIt(`legacy:${plain}`)).toBe(false)
        expect(isIt('')).toBe(false)
      }),
      { numRuns: 1500 },
    )
    expect(seen).toBeGreaterThan(20)
  })

  it('include those of a multisig', () => {
    const hex = Buffer.from(parseAddress(BLS).key).toString('hex')
    for (const spelling of [BLS, `bls12-381:${BLS}`, `0x${hex}`, `bls12-381:0x${hex.toUpperCase()}`]) {
      expect(formatAddress(parseAddress(spelling))).toBe(BLS)
      expect(spellingOf(BLS)(spelling)).toBe(true)
    }
    expect(spellingOf(BLS)(`0x${hex.replace(/.$/, 'z')}`)).toBe(false)
  })
})
