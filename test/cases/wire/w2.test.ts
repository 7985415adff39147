import { expect, it } from 'vitest'
import { addressOfPeerId, formatAddress, parseAddress, peerIdOf } from '../../../protocols/address.ts'
import { AddressError } from '../../../protocols/errors.ts'
import { MAX_ADDRESS_TEXT_LENGTH } from '../../../protocols/limits.ts'
import { blsSignerOf, hex, signerOf } from '../../../scripts/vectors/kit/kit.ts'

const bls = blsSignerOf('hub').address
const ed25519 = signerOf('author').address

it('the longest spelling of a key is an address, and one more character is none', () => {
  const longest = `bls12-381:0x${hex(bls.key)}`
  expect(longest).toHaveLength(MAX_ADDRESS_TEXT_LENGTH)
  expect(parseAddress(longest)).toEqual(bls)
  expect(() => parseAddress(`${longest}0`)).toThrow(/the longest has 108 characters/)
})

it('every character counts: none beyond base58 is read as a digit', () => {
  const [text, peerId] = [formatAddress(ed25519), peerIdOf(ed25519)]
  for (const other of ['\u4ef7', '\u0431', '\u00e9', ' ', '\0', '0', 'l']) {
    for (let at = 0; at <= text.length; at++) {
      expect(() => parseAddress(text.slice(0, at) + other + text.slice(at + 1))).toThrow(AddressError)
    }
    for (let at = 0; at <= peerId.length; at++) {
      expect(() => addressOfPeerId(peerId.slice(0, at) + other + peerId.slice(at + 1))).toThrow(AddressError)
    }
  }
})
