import { expect, it } from 'vitest'
import { addressBytes, formatAddress, isValidKey, parseAddress } from '../../../protocols/address.ts'
import { provePossession } from '../../../protocols/multisig.ts'
import { createKeyCache, verifySignature } from '../../../protocols/signature.ts'
import { blsSignerOf, hex, NETWORK } from '../../../scripts/vectors/kit/kit.ts'
import { blsAbovePrime } from '../../../scripts/vectors/weird-keys.ts'

const signer = blsSignerOf('hub')
const { address } = signer

it('x at p or above, or flags that say something else, are no key', () => {
  expect(isValidKey({ type: 'bls12-381', key: blsAbovePrime() })).toBe(false)
  for (const flags of [0x00, 0x20, 0x40, 0xc0, 0xe0]) {
    const key = address.key.map((byte, at) => (at === 0 ? (byte & 0x1f) | flags : byte))
    expect(isValidKey({ type: 'bls12-381', key })).toBe(false)
  }
})

it('a proof of possession is an ordinary signature of the address bytes', () => {
  const signature = provePossession(signer, NETWORK)
  const signed = {
    network: NETWORK,
    kind: 'possession',
    who: 'member',
    address,
    bytes: addressBytes(address),
    signature,
  }
  expect(() => verifySignature(createKeyCache(), signed)).not.toThrow()
})

it('a BLS address is written in base58 without prefix, however it was read', () => {
  const text = formatAddress(address)
  expect(text).toMatch(/^[1-9A-HJ-NP-Za-km-z]{60,66}$/)
  for (const spelling of [
    text,
    `bls12-381:${text}`,
    `0x${hex(address.key)}`,
    `bls12-381:0x${hex(address.key).toUpperCase()}`,
  ]) {
    expect(formatAddress(parseAddress(spelling))).toBe(text)
  }
})
