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
import { bytes, cid, text } from './arbitraries.ts'
import { MESSAGES } from './messages.ts'
import { mutation } from './mutations.ts'

describe.each(MESSAGES)('$name', ({ bytes: arbitrary, rewrite, signed }) => {
  it('is read back and written as it was', () => {
    fc.assert(
      fc.property(arbitrary, (encoded) => equals(rewrite(encoded), encoded)),
      { numRuns: 200 },
    )
  })

  it('mutated: refused with a ProtocolError, or a message in its one spelling', () => {
    fc.assert(
      fc.property(arbitrary, mutation, (encoded, { apply }) => {
        const mutated = apply(encoded)
        const written = orRefused(() => rewrite(mutated))
        if (written === undefined) return
        expect(hex(written)).toBe(hex(mutated))
        if (signed) expect(hex(mutated)).toBe(hex(encoded))
      }),
      { numRuns: 1000 },
    )
  })

  it('random bytes are refused, or are a message in its one spelling', () => {
    fc.assert(
      fc.property(bytes(0, 60), (encoded) => {
        const written = orRefused(() => rewrite(encoded))
        expect(written === undefined || equals(written, encoded)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('encoding', () => {
  const leaf = fc.oneof(fc.boolean(), fc.constant(null), fc.maxSafeInteger(), text(40), bytes(0, 30), cid)
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 8 },
      leaf.filter((item) => !Object.is(item, -0)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        text(9).filter((key) => key !== '__proto__' && key !== '/'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  }))

  it('reads what it wrote, and there is no second spelling', () => {
    fc.assert(
      fc.property(value, mutation, (item, { apply }) => {
        const encoded = encodeCanonical(item)
        expect(hex(encodeCanonical(readCanonical(encoded)))).toBe(hex(encoded))
        const mutated = apply(encoded)
        const read = orRefused(() => ({ value: readCanonical(mutated) }))
        if (read !== undefined) expect(hex(encodeCanonical(read.value))).toBe(hex(mutated))
      }),
      { numRuns: 2000 },
    )
  })

  it('DAG-JSON carries the same values', () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(hex(encodeCanonical(fromDagJson(toDagJson(item))))).toBe(hex(encodeCanonical(item)))
      }),
    )
  })

  it('any text is DAG-JSON or refused with a ProtocolError', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.constant('{"/":{"bytes":7}}'), fc.constant('{"/":"x"}')),
        (json) => {
          orRefused(() => fromDagJson(json))
        },
      ),
    )
  })
})

describe('redirection', () => {
  it('a ticket of any depth down to 0 is valid, and none says more than it is', () => {
    fc.assert(
      fc.property(fc.nat(MAX_DEPTH), bytes(32), fc.nat(MAX_DEPTH), fc.nat(MAX_DEPTH), (depth, secret, low, claimed) => {
        const { reach, ticket } = issueTicket(depth, secret)
        const lowered = lowerTicket(ticket, Math.min(low, depth))
        checkTicket(reach, lowered)
        const raised = { ...lowered, depth: claimed }
        expect(isRefused(() => checkTicket(reach, raised))).toBe(claimed !== lowered.depth)
        for (const known of [ticket, lowered]) {
          checkTicketBy(known, reach, lowered)
          expect(isRefused(() => checkTicketBy(known, reach, raised))).toBe(claimed !== lowered.depth)
        }
      }),
    )
  })

  it('who holds a copy cannot come to the proof of a higher depth by hashing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_DEPTH }), bytes(32), fc.nat(MAX_DEPTH), (depth, secret, steps) => {
        const { reach, ticket } = issueTicket(depth, secret)
        const held = lowerTicket(ticket, depth - 1)
        const hashed = lowerTicket({ ...held, depth: MAX_DEPTH }, MAX_DEPTH - steps).proof
        expect(() => checkTicket(reach, { depth, proof: hashed })).toThrow(ProtocolError)
      }),
    )
  })

  it('each redirector lowers, whatever its limit', () => {
    fc.assert(
      fc.property(fc.nat(MAX_DEPTH), fc.nat(20), (best, limit) => {
        const emitted = emittedDepth(best, limit)
        expect(emitted === undefined ? best === 0 || limit === 0 : emitted < best && emitted < limit).toBe(true)
      }),
    )
  })
})

describe('addresses', () => {
  it('every spelling of a key is one address', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (index) => {
        const { address } = signerOf(`property ${index}`)
        const spellings = [
          formatAddress(address),
          `ed25519:${formatAddress(address).replace(/^ed25519:/, '')}`,
          formatLegacy(address),
        ]
        for (const spelling of spellings) expect(sameAddress(parseAddress(spelling), address)).toBe(true)
        expect(sameAddress(addressOfPeerId(peerIdOf(address)), address)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('a legacy text without prefix is the key, or refused because it could be another', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (index) => {
        const { address } = signerOf(`property ${index}`)
        const read = orRefused(() => parseAddress(formatLegacy(address).slice('legacy:'.length)))
        expect(read === undefined || sameAddress(read, address)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('any text is an address in its one form, or refused with a ProtocolError', () => {
    const word = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(legacy:|ed25519:|bls12-381:|toString:)?[1-9A-HJ-NP-Za-km-z]{40,70}$/),
    )
    fc.assert(
      fc.property(word, (spelling) => {
        const address = orRefused(() => parseAddress(spelling))
        if (address !== undefined) expect(sameAddress(parseAddress(formatAddress(address)), address)).toBe(true)
      }),
    )
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

function isRefused(check: () => void): boolean {
  return orRefused(() => ({ done: check() })) === undefined
}
