import fc from 'fast-check'
import { equals } from 'uint8arrays'
import { describe, expect, it } from 'vitest'
import {
  addressOfPeerId,
  formatAddress,
  formatLegacy,
  parseAddress,
  peerIdOf,
  sameAddress,
} from '../../../protocols/address.ts'
import { readCanonical } from '../../../protocols/cbor.ts'
import { encodeCanonical, fromDagJson, toDagJson } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { MAX_DEPTH } from '../../../protocols/limits.ts'
import { checkTicket, checkTicketBy, emittedDepth, issueTicket, lowerTicket } from '../../../protocols/redirection.ts'
import { hex, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { forAll } from '../../fixtures/property.ts'
import { bytes, cid, text } from './arbitraries.ts'
import { MESSAGES } from './messages.ts'
import { mutation } from './mutations.ts'

describe.each(MESSAGES)('$name', ({ bytes: arbitrary, rewrite, signed }) => {
  it('is read back and written as it was', () => {
    forAll(200, [arbitrary], (encoded) => equals(rewrite(encoded), encoded))
  })

  it('mutated: refused with a ProtocolError, or a message in its one spelling', () => {
    forAll(1000, [arbitrary, mutation], (encoded, { apply }) => {
      const mutated = apply(encoded)
      const written = orRefused(() => rewrite(mutated))
      if (written === undefined) return
      expect(hex(written)).toBe(hex(mutated))
      if (signed) expect(hex(mutated)).toBe(hex(encoded))
    })
  })

  it('random bytes are refused, or are a message in its one spelling', () => {
    forAll(300, [bytes(0, 60)], (encoded) => {
      const written = orRefused(() => rewrite(encoded))
      expect(written === undefined || equals(written, encoded)).toBe(true)
    })
  })
})

const leaf = fc.oneof(fc.boolean(), fc.constant(null), fc.maxSafeInteger(), text(40), bytes(0, 30), cid)
const key = text(9).filter((word) => word !== '__proto__' && word !== '/')
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 8 },
    leaf.filter((item) => !Object.is(item, -0)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

it('encoding: reads what it wrote, and there is no second spelling', () => {
  forAll(2000, [value, mutation], (item, { apply }) => {
    const encoded = encodeCanonical(item)
    expect(hex(encodeCanonical(readCanonical(encoded)))).toBe(hex(encoded))
    const mutated = apply(encoded)
    const read = orRefused(() => ({ value: readCanonical(mutated) }))
    if (read !== undefined) expect(hex(encodeCanonical(read.value))).toBe(hex(mutated))
  })
})

it('encoding: DAG-JSON carries the same values', () => {
  forAll(100, [value], (item) => {
    expect(hex(encodeCanonical(fromDagJson(toDagJson(item))))).toBe(hex(encodeCanonical(item)))
  })
})

it('encoding: any text is DAG-JSON or refused with a ProtocolError', () => {
  const json = fc.oneof(fc.string(), fc.json(), fc.constant('{"/":{"bytes":7}}'), fc.constant('{"/":"x"}'))
  forAll(100, [json], (text) => void orRefused(() => fromDagJson(text)))
})

it('redirection: a ticket of any depth down to 0 is valid, and none says more than it is', () => {
  forAll(100, [fc.nat(MAX_DEPTH), bytes(32), fc.nat(MAX_DEPTH), fc.nat(MAX_DEPTH)], (depth, secret, low, claimed) => {
    const { reach, ticket } = issueTicket(depth, secret)
    const lowered = lowerTicket(ticket, Math.min(low, depth))
    checkTicket(reach, lowered)
    const raised = { ...lowered, depth: claimed }
    expect(isRefused(() => checkTicket(reach, raised))).toBe(claimed !== lowered.depth)
    for (const known of [ticket, lowered]) {
      checkTicketBy(known, reach, lowered)
      expect(isRefused(() => checkTicketBy(known, reach, raised))).toBe(claimed !== lowered.depth)
    }
  })
})

it('redirection: a node that holds a copy cannot come to the proof of a higher depth by hashing', () => {
  forAll(100, [fc.integer({ min: 1, max: MAX_DEPTH }), bytes(32), fc.nat(MAX_DEPTH)], (depth, secret, steps) => {
    const { reach, ticket } = issueTicket(depth, secret)
    const held = lowerTicket(ticket, depth - 1)
    const hashed = lowerTicket({ ...held, depth: MAX_DEPTH }, MAX_DEPTH - steps).proof
    expect(() => checkTicket(reach, { depth, proof: hashed })).toThrow(ProtocolError)
  })
})

it('redirection: each redirector lowers, whatever its limit', () => {
  forAll(100, [fc.nat(MAX_DEPTH), fc.nat(20)], (best, limit) => {
    const emitted = emittedDepth(best, limit)
    expect(emitted === undefined ? best === 0 || limit === 0 : emitted < best && emitted < limit).toBe(true)
  })
})

it('addresses: every spelling of a key is one address', () => {
  forAll(60, [fc.nat(1_000_000)], (index) => {
    const { address } = signerOf(`property ${index}`)
    const base58 = formatAddress(address).replace(/^ed25519:/, '')
    const spellings = [formatAddress(address), `ed25519:${base58}`, formatLegacy(address)]
    for (const spelling of spellings) expect(sameAddress(parseAddress(spelling), address)).toBe(true)
    expect(sameAddress(addressOfPeerId(peerIdOf(address)), address)).toBe(true)
  })
})

it('addresses: a legacy text without prefix is the key, or refused because it could be another', () => {
  forAll(60, [fc.nat(1_000_000)], (index) => {
    const { address } = signerOf(`property ${index}`)
    const read = orRefused(() => parseAddress(formatLegacy(address).slice('legacy:'.length)))
    expect(read === undefined || sameAddress(read, address)).toBe(true)
  })
})

it('addresses: any text is an address in its one form, or refused with a ProtocolError', () => {
  const likely = fc.stringMatching(/^(legacy:|ed25519:|bls12-381:|toString:)?[1-9A-HJ-NP-Za-km-z]{40,70}$/)
  forAll(100, [fc.oneof(fc.string(), likely)], (spelling) => {
    const address = orRefused(() => parseAddress(spelling))
    if (address !== undefined) expect(sameAddress(parseAddress(formatAddress(address)), address)).toBe(true)
  })
})

/** undefined where it is refused; any other failure than a ProtocolError flies on. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const isRefused = (check: () => void): boolean => orRefused(() => ({ done: check() })) === undefined
