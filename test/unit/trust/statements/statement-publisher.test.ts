import { expect } from 'vitest'
import { InputError } from '../../../../src/base/errors.ts'
import { attest, CODE, delegate, freeze, hubs, NOW, own, stranger, text } from '../fixtures.ts'
import { it, world } from '../world.ts'

const [hub] = hubs
const forged = attest(hub, 'safe', { seq: 5, network: 'elsewhere' })
const week = { expires: NOW + 7 * 86_400 }

it('what is published is kept for any signer, published to the mesh and put into records', async ({ here, trust }) => {
  const encoded = attest(stranger, 'unsafe', { severity: 'high' })
  const view = await trust.publish(encoded)
  const says = { kind: 'attestation', code: CODE.toString(), verdict: 'unsafe', severity: 'high' }
  expect(view).toMatchObject({
    ...says,
    signer: text(stranger),
    trusted: false,
    own: true,
    via: 'api',
    receivedAt: NOW,
  })
  expect(here.published).toEqual([encoded])
  expect(here.put.map(({ value }) => value)).toEqual([encoded])
  expect(trust.statements()).toEqual([view])
  // it counts for nothing here
  expect(here.facts().quorum).toBeNull()
  await trust.publish(attest(hub, 'unsafe'))
  expect(here.facts().quorum).toEqual({ hubs: 0, weight: 0, met: false })
})

it("what the operator's hand says: of the own key makes the tree", async ({ trust }) => {
  await trust.publish(delegate(own, stranger, 2))
  expect(trust.tree(text(stranger)).asked?.in).toBe(true)
  await trust.publish(delegate(own, stranger, 2, { seq: 1, revoked: true }))
  expect(trust.tree(text(stranger)).asked?.in).toBe(false)
})

it.each<[string, Uint8Array, RegExp]>([
  ['malformed', Uint8Array.of(1), /^the statement cannot be taken: /],
  ['forged', forged, /is not the attestation signature of this hub in network "vectors"/],
  ['early', attest(hub, 'safe', { issued: NOW + 500 }), /is from the future/],
  ['expired', attest(hub, 'safe', { issued: NOW - 9, expires: NOW }), /has expired/],
  [
    'older',
    attest(hub, 'unsafe', { seq: 3 }),
    /a later statement of the same subject is in force \(seq 4\): sign a higher seq/,
  ],
])("what the operator's hand says: is refused in one sentence where it is %s", async (_name, encoded, sentence) => {
  await using here = world()
  await here.trust.publish(attest(hub, 'safe', { seq: 4 }))
  await expect(here.trust.publish(encoded)).rejects.toThrow(sentence)
  await expect(here.trust.publish(encoded)).rejects.toThrow(InputError)
  expect(here.published).toHaveLength(1)
})

it("what the operator's hand says: is the operator's also where it had been received before", async ({
  here,
  trust,
}) => {
  trust.take(attest(hub), { via: 'gossip', from: 'p' })
  expect((await trust.publish(attest(hub))).own).toBe(true)
  expect(here.published).toHaveLength(1)
})

it("what the operator's hand says: that no peer received is published again, also after a restart", async ({
  path,
}) => {
  await using here = world(undefined, { path })
  here.alone = true
  here.trust.boot()
  const encoded = attest(hub, 'safe', week)
  const frozen = freeze(hub, '5', week)
  await here.trust.publish(encoded)
  await here.trust.publish(frozen)
  expect(here.published).toEqual([])
  await here.clock.advance(3600_000)
  expect(here.published).toEqual([])
  // two statements, each at first, then after one minute, two, four...
  expect(here.attempts).toBeGreaterThan(6)
  expect(here.attempts).toBeLessThan(20)
  here.alone = false
  await here.clock.advance(3600_000)
  expect(new Set(here.published)).toEqual(new Set([encoded, frozen]))
  expect(here.published).toHaveLength(2)
  expect(here.put.map(({ value }) => value)).toEqual([encoded])
  here.alone = true
  await here.trust.publish(delegate(own, stranger, 0, week))
  await here.trust[Symbol.asyncDispose]()

  await using again = world(undefined, { path, clock: here.clock })
  again.trust.boot()
  await again.clock.advance(120_000)
  expect(again.published).toEqual([delegate(own, stranger, 0, week)])
})

it('what is published is put into the records again before they forget it, until it ends', async ({ here, trust }) => {
  trust.boot()
  await trust.publish(attest(stranger, 'safe', { expires: NOW + 3 * 86_400 }))
  await here.clock.advance(23 * 3600_000)
  expect(here.put).toHaveLength(2)
  await here.clock.advance(6 * 86_400_000)
  expect(here.put.length).toBeGreaterThanOrEqual(3)
  expect(here.put.length).toBeLessThanOrEqual(4)
})

it('what is kept is listed by what it is about, newest first', async ({ here, trust }) => {
  for (const one of [attest(hub), freeze(hub, '3', { of: stranger }), delegate(own, stranger)]) {
    here.take(one)
    await here.clock.advance(1000)
  }
  const kinds = (filter: Parameters<typeof trust.statements>[0]) => trust.statements(filter).map(({ kind }) => kind)
  expect(kinds({})).toEqual(['delegation', 'freeze', 'attestation'])
  expect(kinds({ code: CODE.toString() })).toEqual(['attestation'])
  expect(kinds({ address: text(stranger) })).toEqual(['delegation', 'freeze'])
  expect(kinds({ signer: text(hub) })).toEqual(['freeze', 'attestation'])
  expect(kinds({ signer: text(hub), address: text(stranger) })).toEqual(['freeze'])
})
