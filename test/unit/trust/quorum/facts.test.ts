import fc from 'fast-check'
import { expect } from 'vitest'
import { formatAddress, formatLegacy } from '../../../../protocols/address.ts'
import { cidOfStructure } from '../../../../protocols/encoding.ts'
import { forAllAsync } from '../../../fixtures/property.ts'
import { attest, author, CODE, delegate, freeze, hubs, NOW, own, stranger, subject, text } from '../fixtures.ts'
import { it, policyOf, sync, THREE_HUBS, world } from '../world.ts'

const [one, two, three] = hubs

it('what is known of a service: is nothing at first', ({ trust }) => {
  expect(trust.factsOf(subject())).toEqual({ attestations: [], quorum: null, inTree: false, frozen: [] })
  expect(trust.factsOf(subject([], own)).inTree).toBe(true)
})

it('what is known of a service: is the last word of each trusted hub, and whether they are enough', async () => {
  await using here = world(policyOf({ ...THREE_HUBS, QUORUM: { HUBS: 2, WEIGHT: 11 } }))
  for (const [index, hub] of hubs.entries()) {
    here.take(attest(hub))
    expect(here.facts().quorum).toEqual({ hubs: index + 1, weight: 5 * (index + 1), met: index === 2 })
  }
  here.trust.take(attest(three, 'unsafe', { seq: 1, severity: 'high' }), sync)
  const { quorum, attestations } = here.facts()
  expect(quorum).toEqual({ hubs: 2, weight: 10, met: false })
  expect(attestations.map(({ hub }) => hub)).toEqual(hubs.map(text).sort())
  expect(attestations.find(({ hub }) => hub === text(three))).toMatchObject({ verdict: 'unsafe', severity: 'high' })
  expect(here.trust.factsOf(subject([], author, cidOfStructure(Uint8Array.of(9)))).quorum).toBeNull()
})

it('what is known of a service: is vetoed by one trusted hub, however many call it safe', async () => {
  await using here = world(policyOf({ ...THREE_HUBS, QUORUM: { HUBS: 1 } }))
  here.take(attest(one), attest(two))
  expect(here.facts().quorum?.met).toBe(true)
  here.trust.take(attest(three, 'unsafe'), sync)
  expect(here.facts().quorum).toEqual({ hubs: 2, weight: 10, met: false })
})

it('what is known of a service: counts each key once, however the policy and the statements spell it', async () => {
  await forAllAsync(
    40,
    [
      fc.array(fc.tuple(fc.constantFrom(...hubs), fc.constantFrom('safe', 'unsafe'), fc.nat(3)), { maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    ],
    async (said, legacy) => {
      const names = hubs.map((hub, index) => (legacy[index] ? formatLegacy(hub.address) : formatAddress(hub.address)))
      const TRUSTED_HUBS = Object.fromEntries(names.map((name) => [name, { WEIGHT: 1 }]))
      await using here = world(policyOf({ TRUSTED_HUBS }))
      here.take(...said.map(([hub, verdict, seq]) => attest(hub, verdict as 'safe', { seq })))
      const last = hubs.map((hub) => {
        const mine = said.filter(([by]) => by === hub).sort((a, b) => b[2] - a[2] || (a[1] === 'unsafe' ? -1 : 1))
        return mine[0]?.[1]
      })
      const safe = last.filter((verdict) => verdict === 'safe').length
      const silent = last.every((verdict) => verdict === undefined)
      const met = safe >= 2 && !last.includes('unsafe')
      expect(here.facts().quorum).toEqual(silent ? null : { hubs: safe, weight: safe, met })
    },
  )
})

it('a quorum ends when a statement does, and the decision is notified at that moment', async ({ here, trust }) => {
  for (const [index, hub] of hubs.entries()) trust.take(attest(hub, 'safe', { expires: NOW + 60 * (index + 1) }), sync)
  expect(trust.factsOf(subject()).quorum?.hubs).toBe(3)
  const before = here.reported('trust:changed').length
  await here.clock.advance(59_999)
  expect(here.reported('trust:changed')).toHaveLength(before)
  await here.clock.advance(1)
  expect(here.reported('trust:changed').slice(before)).toEqual([{ on: 'code', code: CODE.toString() }])
  expect(trust.factsOf(subject()).quorum?.hubs).toBe(2)
  await here.clock.advance(60_000)
  expect(here.reported('trust:changed').slice(before)).toHaveLength(2)
  expect(trust.factsOf(subject()).quorum).toEqual({ hubs: 1, weight: 5, met: false })
})

it('facts have what is frozen of the author, by trusted hubs, while it is in time', async ({ here, trust }) => {
  here.take(
    freeze(one, '10'),
    freeze(one, '7', { chain: 'btc', expires: NOW + 5 }),
    freeze(one, '99', { of: stranger }),
  )
  expect(trust.take(freeze(stranger, '1000'), sync)).toBe('untrusted')
  const hub = text(one)
  expect(trust.factsOf(subject()).frozen).toEqual([
    { hub, chain: 'btc', amount: '7' },
    { hub, chain: 'sol', amount: '10' },
  ])
  trust.take(freeze(one, '0', { seq: 1 }), sync)
  expect(trust.factsOf(subject()).frozen).toContainEqual({ hub, chain: 'sol', amount: '0' })
  await here.clock.advance(5000)
  expect(here.reported('trust:changed').at(-1)).toEqual({ on: 'freeze', address: text(author), chain: 'btc' })
  expect(trust.factsOf(subject()).frozen).toEqual([{ hub, chain: 'sol', amount: '0' }])
})

it('facts take in what the author stapled, but a stapled "safe" hides no newer "unsafe"', ({ here, trust }) => {
  const forged = attest(three, 'safe', { network: 'x' })
  const staples = [attest(one), attest(two), attest(stranger), Uint8Array.of(1), forged]
  expect(trust.factsOf(subject(staples)).quorum).toEqual({ hubs: 2, weight: 10, met: true })
  expect(here.reported('trust:refused')).toHaveLength(2)
  trust.factsOf(subject(staples))
  expect(here.reported('trust:refused')).toHaveLength(2)
  trust.take(attest(two, 'unsafe', { seq: 1 }), sync)
  expect(trust.factsOf(subject(staples)).quorum?.met).toBe(false)
})

it('what is known of a service: lets an author pay for its forged staples, and no other author', ({ here, trust }) => {
  const forged = Array.from({ length: 400 }, (_, seq) => attest(one, 'safe', { seq, network: 'x' }))
  trust.factsOf(subject(forged, stranger))
  trust.factsOf(subject([attest(two)], stranger))
  expect(here.reported('trust:dropped').at(-1)).toEqual({ why: 'quota', via: 'staple' })
  expect(trust.factsOf(subject()).quorum).toBeNull()
  expect(trust.factsOf(subject([attest(two)])).quorum).toMatchObject({ hubs: 1 })
})

it('what is known of a service: takes a stapled chain in any order', ({ trust }) => {
  const chain = [delegate(stranger, author), delegate(two, stranger, 1), delegate(own, two, 5)]
  expect(trust.factsOf(subject(chain)).inTree).toBe(true)
})

it('what is known of a service: is what a candidate would see, and stays what it is', ({ trust }) => {
  const policy = policyOf({ TRUSTED_HUBS: { [text(stranger)]: { WEIGHT: 2 } } })
  const chain = [attest(stranger), delegate(stranger, author), freeze(stranger, '3')]
  for (const _ of [1, 2]) {
    const quorum = { hubs: 1, weight: 2, met: true }
    const found = trust.factsOf(subject(chain), { policy })
    expect(found).toMatchObject({ quorum, inTree: false, frozen: [{ amount: '3' }] })
    expect(trust.factsOf(subject(chain))).toMatchObject({ quorum: null, inTree: false, frozen: [] })
  }
  const forged = [attest(stranger, 'safe', { network: 'elsewhere' }), freeze(one, '3'), attest(one)]
  expect(trust.factsOf(subject(forged), { policy })).toMatchObject({ quorum: null, frozen: [] })
  const expired = attest(stranger, 'unsafe', { seq: 1, issued: NOW - 9, expires: NOW - 1 })
  expect(trust.factsOf(subject([attest(stranger), expired]), { policy }).quorum?.met).toBe(true)
  const tree = policyOf({ TRUST_TREE: { ROOTS: { [text(stranger)]: { DEPTH: 1 } } } })
  expect(trust.factsOf(subject(chain), { policy: tree }).inTree).toBe(true)
  expect(trust.factsOf(subject(chain), { policy: tree, at: NOW + 90_000 }).inTree).toBe(false)
  expect(trust.statements()).toEqual([])
})

it('what is known of a service: is not whiter for a candidate because an older word is stapled', ({ here, trust }) => {
  here.take(delegate(own, author, 0, { seq: 1, revoked: true }), attest(one, 'unsafe', { seq: 1 }))
  const policy = policyOf({ TRUSTED_HUBS: { [text(one)]: {} } })
  const old = [delegate(own, author), attest(one)]
  expect(trust.factsOf(subject(old), { policy })).toMatchObject({ quorum: { met: false }, inTree: false })
})

it('what is known of a service: is shown as it was at another second', ({ trust }) => {
  trust.take(attest(one, 'safe', { expires: NOW + 10 }), sync)
  for (const [at, known] of [
    [NOW + 9, 1],
    [NOW + 10, 0],
    [NOW - 200, 0],
  ] as const)
    expect(trust.factsOf(subject(), { at }).attestations).toHaveLength(known)
})

it('what is known of a service: is decided again under another policy', ({ here, trust }) => {
  trust.take(attest(one), sync)
  expect(trust.take(attest(stranger), sync)).toBe('untrusted')
  here.policy = policyOf({ TRUSTED_HUBS: { [text(stranger)]: {} } })
  here.servicesInUse = [{ service: 's', code: CODE.toString(), author: text(author) }]
  trust.policyChanged()
  expect(trust.factsOf(subject()).quorum).toBeNull()
  expect(trust.take(attest(stranger), sync)).toBe('new')
  expect(trust.factsOf(subject()).quorum?.met).toBe(true)
})
