import { expect } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { MembersError, SignatureError } from '../../../protocols/errors.ts'
import { combineSignatures, pinMembers, provePossession } from '../../../protocols/multisig.ts'
import { createKeyCache, signFor } from '../../../protocols/signature.ts'
import { decodeStatement, recordKey } from '../../../protocols/statement.ts'
import { blsSignerOf, hex } from '../../../scripts/vectors/kit/kit.ts'
import { MEMBERS, ROOT, sumOfKeys, sumOfSignatures } from '../../../scripts/vectors/kit/statement-kit.ts'
import { InputError } from '../../../src/base/errors.ts'
import { CODE, NETWORK, NOW } from './fixtures.ts'
import { gossip, it, policyOf, world } from './world.ts'

function bodyOf(verdict: 'safe' | 'unsafe', more: object) {
  const times = { issued: NOW, expires: NOW + 86_400, seq: 0 }
  return { v: 1, hub: addressBytes(ROOT), code: CODE, verdict, ...times, ...more }
}

/** A word of the four members' hub, by some of them. */
function byMembers(verdict: 'safe' | 'unsafe', signers: typeof MEMBERS, more: object = {}): Uint8Array {
  const body = encodeCanonical(bodyOf(verdict, more))
  const parts = signers.map((one) => ({ member: one.address, sig: signFor(one, NETWORK, 'attestation', body) }))
  const signed = combineSignatures(PINNED, parts, { network: NETWORK, kind: 'attestation', bytes: body }, KEYS)
  return encodeCanonical({ body, ...signed })
}

const KEYS = createKeyCache()
const PROOFS = MEMBERS.map((one) => ({ address: one.address, proof: provePossession(one, NETWORK) }))
const PINNED = pinMembers({ hub: ROOT, members: PROOFS, threshold: 1 }, NETWORK, KEYS)

/** A policy that trusts the hub, and pins its members with these proofs. */
function pinning(proofs: Uint8Array[]) {
  const MEMBERS = Object.fromEntries(
    PROOFS.map(({ address }, n) => [formatAddress(address), `0x${hex(proofs[n] as Uint8Array)}`]),
  )
  return policyOf({ TRUSTED_HUBS: { [formatAddress(ROOT)]: { MEMBERS, THRESHOLD: 3 } } })
}
const OF_MEMBERS = pinning(PROOFS.map(({ proof }) => proof))

it('a hub of several members: counts by all of them, and by as many as the operator asks for', async () => {
  await using here = world(OF_MEMBERS)
  expect(here.trust.take(byMembers('safe', MEMBERS.slice(0, 3)), gossip)).toBe('new')
  expect(here.facts().quorum).toEqual({ hubs: 1, weight: 0, met: true })
  // the same body by others replaces nothing
  expect(here.trust.take(byMembers('safe', MEMBERS), gossip)).toBe('known')
  expect(here.trust.take(byMembers('unsafe', MEMBERS, { seq: 1 }), gossip)).toBe('new')
  expect(here.facts().quorum).toEqual({ hubs: 0, weight: 0, met: false })
})

it('a hub of several members: is ignored where too few signed, or where members are not pinned', async () => {
  await using here = world(OF_MEMBERS)
  expect(here.trust.take(byMembers('safe', MEMBERS.slice(0, 2)), gossip)).toBe('dropped')
  await using other = world(policyOf({ TRUSTED_HUBS: { [formatAddress(ROOT)]: {} } }))
  expect(other.trust.take(byMembers('safe', MEMBERS.slice(0, 3)), gossip)).toBe('dropped')
  expect(other.trust.take(byMembers('safe', MEMBERS), gossip)).toBe('new')
  // members of a hub that is not trusted here: only who pinned them can tell
  await using none = world(policyOf({}))
  expect(none.trust.validateGossip(byMembers('unsafe', MEMBERS.slice(0, 3)), 'p')).toBe('ignore')
  expect(none.trust.validateGossip(byMembers('unsafe', MEMBERS), 'p')).toBe('accept')
  for (const one of [here, other]) expect(one.reported('trust:dropped')).toEqual([{ why: 'members', ...gossip }])
})

it('a hub of several members: has records by some of them only where they are pinned, and by all of them everywhere', async () => {
  await using here = world(OF_MEMBERS)
  await using other = world(policyOf({}))
  const [some, all] = [byMembers('safe', MEMBERS.slice(0, 3)), byMembers('safe', MEMBERS)]
  const key = recordKey(decodeStatement(all)) as string
  for (const rules of [here.trust.recordValidator, other.trust.recordValidator])
    expect(rules.validate(key, all)).toMatchObject({ issued: NOW })
  expect(here.trust.recordValidator.validate(key, some)).toMatchObject({ issued: NOW })
  expect(() => here.trust.recordValidator.validate(key, byMembers('safe', MEMBERS.slice(0, 2)))).toThrow(MembersError)
  expect(() => other.trust.recordValidator.validate(key, some)).toThrow('its members are not pinned here')
  await expect(other.trust.publish(some)).rejects.toThrow(InputError)
})

it('a hub of several members: is not forged by keys that sum to it', async () => {
  await using here = world(OF_MEMBERS)
  const rogue = [blsSignerOf('rogue 1'), blsSignerOf('rogue 2'), blsSignerOf('rogue 3')]
  const body = encodeCanonical(bodyOf('safe', { expires: NOW + 9, seq: 9 }))
  const sig = sumOfSignatures(rogue, 'attestation', body)
  // claimed to be of all: the sum of the rogue keys is not the hub's
  expect(sumOfKeys(rogue.map(({ address }) => address))).not.toEqual(ROOT.key)
  expect(() => here.trust.take(encodeCanonical({ body, sig }), gossip)).toThrow(SignatureError)
  // claimed to be of some: whatever is claimed, only pinned keys are summed
  expect(here.trust.take(encodeCanonical({ body, sig, signers: Uint8Array.of(0b0111) }), gossip)).toBe('dropped')
  // and keys that come along have no place to stand
  const absent = new Uint8Array(48)
  expect(() => here.trust.take(encodeCanonical({ body, sig, absent }), gossip)).toThrow('unknown key')
  expect(here.facts().quorum).toBeNull()
})

it('a hub of several members: whose members have no proof of possession is not pinned', async () => {
  const [first, ...others] = PROOFS.map(({ proof }) => proof) as [Uint8Array]
  await using here = world(pinning([...others, first]))
  expect(here.trust.take(byMembers('safe', MEMBERS.slice(0, 3)), gossip)).toBe('dropped')
  expect(here.trust.take(byMembers('safe', MEMBERS), gossip)).toBe('new')
})
