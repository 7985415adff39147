import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseAddress } from '../../../protocols/address.ts'
import { decodeAttestation, encodeAttestation } from '../../../protocols/attestation.ts'
import { decodeDelegation } from '../../../protocols/delegation.ts'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { decodeFreeze } from '../../../protocols/freeze.ts'
import { pinMembers, provePossession } from '../../../protocols/multisig.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import * as protocol from '../../../protocols/statement.ts'
import { hex, NETWORK, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { MEMBERS, ROOT } from '../../../scripts/vectors/kit/statement-kit.ts'
import { forAll } from '../../fixtures/property.ts'
import { attestationBody } from './arbitrary-statements.ts'
import { statementOf } from './messages.ts'

const hub = signerOf('hub')
const statements = fc.array(statementOf(hub), { minLength: 1, maxLength: 8 })
const onCode = fc.array(
  attestationBody(hub).map((body) => protocol.signStatement(encodeAttestation(body), NETWORK, hub)),
  { minLength: 1, maxLength: 8 },
)

it('what replaces what: is the same for everyone, whatever the order of arrival', () => {
  const all = (some: protocol.Statement[]) => fc.shuffledSubarray(some, { minLength: some.length })
  const shuffles = onCode.chain((some) => fc.tuple(fc.constant(some), all(some)))
  forAll(100, [shuffles], ([some, shuffled]) => {
    expect(standing(shuffled)).toEqual(standing(some))
  })
})

it('what replaces what: never lets an older one back', () => {
  forAll(100, [onCode], ([first, ...others]) => {
    let known = first as protocol.Statement
    for (const next of others) {
      if (!protocol.replaces(next, known)) continue
      expect(next.body.seq).toBeGreaterThanOrEqual(known.body.seq)
      expect(protocol.replaces(known, next)).toBe(false)
      known = next
    }
    expect(
      others.filter(
        (one) => protocol.statementSubject(one) === protocol.statementSubject(known) && protocol.replaces(one, known),
      ),
    ).toEqual([])
  })
})

it('what replaces what: an unsafe of one seq overrides every safe of it', () => {
  forAll(100, [onCode], (some) => {
    for (const kept of standing(some)) {
      const rivals = some.filter((one) => protocol.statementSubject(one) === kept.subject && one.body.seq === kept.seq)
      const unsafe = rivals.some(({ body }) => 'verdict' in body && body.verdict === 'unsafe')
      expect(kept.verdict === 'unsafe').toBe(unsafe)
    }
  })
})

it('a statement: is of its own kind only', () => {
  forAll(100, [statements], ([one]) => {
    const { kind, bytes } = one as protocol.Statement
    const readers = { attestation: decodeAttestation, freeze: decodeFreeze, delegation: decodeDelegation }
    for (const [name, read] of Object.entries(readers)) {
      if (name === kind) expect(read(bytes)).toEqual(one?.body)
      else expect(() => read(bytes)).toThrow()
    }
  })
})

it('a statement: is the word of whom it names, and of nobody else', () => {
  forAll(30, [statements], ([one]) => {
    const statement = one as protocol.Statement
    protocol.verifyStatement(statement, NETWORK, createKeyCache())
    expect(protocol.signerOf(statement)).toEqual(hub.address)
    const forged = protocol.signStatement(statement.bytes, NETWORK, signerOf('other'))
    expect(() => protocol.verifyStatement(forged, NETWORK, createKeyCache())).toThrow('is not the')
    expect(() => protocol.verifyStatement(statement, 'elsewhere', createKeyCache())).toThrow('in network "elsewhere"')
  })
})

it('a statement: has a record in the DHT under its subject, unless it tells of money', () => {
  forAll(100, [statements], ([one]) => {
    const statement = one as protocol.Statement
    const key = protocol.recordKey(statement)
    if (statement.kind === 'freeze') expect(key).toBeUndefined()
    else expect(key).toMatch(/^\/(attest|trust)\/[a-z2-7]+\/[a-z2-7]+$/)
  })
  expect(protocol.statementsTopic('main')).toBe('/thundercloud/main/statements/1')
})

it('a statement: that is none of the three is refused in one sentence', () => {
  const encoded = encodeCanonical({ body: encodeCanonical({ v: 1 }), sig: new Uint8Array() })
  expect(() => protocol.decodeStatement(encoded)).toThrow('body: is no attestation, freeze statement or delegation')
})

it('members that are named by two spellings of their keys count once', () => {
  const base58 = MEMBERS.map((one) => ({ address: one.address, proof: provePossession(one, NETWORK) }))
  const asHex = base58.map((one) => ({ ...one, address: parseAddress(`0x${hex(one.address.key).toUpperCase()}`) }))
  const members = [...base58, ...asHex]
  const { members: kept } = pinMembers({ hub: ROOT, members, threshold: 4 }, NETWORK, createKeyCache())
  expect(new Set(kept.map(({ key }) => hex(key))).size).toBe(kept.length)
  expect(kept.length).toBe(4)
  expect(() => pinMembers({ hub: ROOT, members, threshold: 5 }, NETWORK, createKeyCache())).toThrow('from 1 to 4')
})

/** What is left of each subject when all have been received in this order. */
function standing(received: readonly protocol.Statement[]) {
  const kept = new Map<string, protocol.Statement>()
  for (const one of received) {
    const known = kept.get(protocol.statementSubject(one))
    if (known === undefined || protocol.replaces(one, known)) kept.set(protocol.statementSubject(one), one)
  }
  return [...kept]
    .map(([subject, { body, bytes }]) => {
      return { subject, seq: body.seq, verdict: 'verdict' in body ? body.verdict : undefined, bytes: hex(bytes) }
    })
    .toSorted((a, b) => (a.subject < b.subject ? -1 : 1))
}
