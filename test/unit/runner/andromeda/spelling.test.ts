import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, formatAddress, formatLegacy, isValidKey, parseAddress } from '../../../../protocols/address.ts'
import { spellingsOf } from '../../../../src/runner/andromeda/spelling.ts'

const BLS = '63dMQGT8u5BvsAE7UniDSbBDmK6igBvcwSVHotaQ6938eMRYPbZSHwAYTgQcACQ2KK'

describe('the spellings of an address', () => {
  it('are those that read back as it, for every key', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(key, (bytes) => {
        const address: Address = { type: 'ed25519', key: bytes }
        if (!isValidKey(address)) return
        const text = formatAddress(address)
        const spellings = spellingsOf(text)
        expect(spellings).toContain(text)
        expect(spellings).toContain(formatLegacy(address))
        for (const spelling of [`ed25519:${text.replace('ed25519:', '')}`, formatLegacy(address)]) {
          expect(spellings).toContain(spelling)
          expect(formatAddress(parseAddress(spelling))).toBe(text)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('include those of a key with zeros in front, and of a multisig', () => {
    const first = formatAddress(parseAddress(BLS))
    const hex = `0x${Buffer.from(parseAddress(BLS).key).toString('hex')}`
    expect([...spellingsOf(first)]).toEqual([BLS, hex, `bls12-381:${BLS}`, `bls12-381:${hex}`])
    for (const spelling of spellingsOf(first)) expect(formatAddress(parseAddress(spelling))).toBe(first)
  })
})
