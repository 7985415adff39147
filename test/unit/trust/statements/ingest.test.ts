import fc from 'fast-check'
import { expect } from 'vitest'
import { addressBytes } from '../../../../protocols/address.ts'
import { encodeCanonical, toBase32 } from '../../../../protocols/encoding.ts'
import { ProtocolError } from '../../../../protocols/errors.ts'
import { createKeyCache, type KeyCache, signFor } from '../../../../protocols/signature.ts'
import { signerOf } from '../../../../scripts/vectors/kit/kit.ts'
import { manualClock } from '../../../../src/base/clock.ts'
import { UnavailableError } from '../../../../src/base/errors.ts'
import { forAllAsync } from '../../../fixtures/property.ts'
import { attest, CODE, delegate, freeze, hubs, NETWORK, NOW, own, stranger, subject, text } from '../fixtures.ts'
import { gossip, it, world } from '../world.ts'

const [hub] = hubs

it('a statement: is new once, then known, then older than what replaced it', ({ here, trust }) => {
  const first = attest(hub)
  const second = attest(hub, 'unsafe', { seq: 1 })
  expect(trust.take(first, gossip)).toBe('new')
  expect(trust.take(first, gossip)).toBe('known')
  expect(trust.take(second, gossip)).toBe('new')
  expect(trust.take(first, gossip)).toBe('older')
  expect(trust.take(attest(hub, 'safe', { seq: 0, expires: NOW + 5 }), gossip)).toBe('older')
  expect(here.reported('trust:statement')).toEqual([
    { kind: 'attestation', signer: text(hub), about: CODE.toString(), says: 'safe', seq: 0, ...gossip },
    { kind: 'attestation', signer: text(hub), about: CODE.toString(), says: 'unsafe', seq: 1, ...gossip },
  ])
  expect(here.reported('trust:changed')).toEqual(Array(2).fill({ on: 'code', code: CODE.toString() }))
})

it('a statement: that was replaced does not come back over a restart, nor after it expired', async ({ path }) => {
  const old = attest(hub, 'safe', { expires: NOW + 300 * 86_400 })
  {
    await using here = world(undefined, { path })
    here.take(old, attest(hub, 'unsafe', { seq: 1, expires: NOW + 10 }))
  }
  const clock = manualClock((NOW + 200 * 86_400) * 1000)
  await using later = world(undefined, { path, clock })
  later.trust.boot()
  await clock.advance(0)
  expect(later.trust.take(old, gossip)).toBe('older')
  expect(later.facts().attestations).toEqual([])
})

it('a statement: comes to the same in every order of arrival', async () => {
  const pool = [
    ...hubs.flatMap((one) => [
      attest(one, 'safe'),
      attest(one, 'unsafe'),
      attest(one, 'safe', { expires: NOW + 77 }),
      attest(one, 'safe', { seq: 2 }),
      freeze(one, '1'),
      freeze(one, '2', { seq: 1 }),
      freeze(one, '3', { chain: 'btc' }),
    ]),
    delegate(own, hub, 2),
    delegate(hub, hubs[1], 1),
    delegate(hubs[1], stranger, 0),
    delegate(own, hub, 2, { seq: 3, revoked: true }),
    delegate(own, hub, 1, { seq: 4 }),
  ]
  await forAllAsync(
    60,
    [
      fc
        .subarray(pool)
        .chain((some) =>
          fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length, maxLength: some.length })),
        ),
    ],
    async ([some, other]) => {
      await using first = world()
      await using second = world()
      first.take(...some)
      second.take(...other)
      for (const by of [undefined, stranger, hubs[1], hubs[0]]) {
        expect(second.trust.factsOf(subject([], by))).toEqual(first.trust.factsOf(subject([], by)))
      }
    },
  )
})

it.each<[string, Uint8Array, RegExp]>([
  ['of another network', attest(hub, 'safe', { network: 'elsewhere' }), /is not the attestation signature/],
  ['of another domain', word({}, 'freeze'), /is not the attestation signature/],
  ['by another key', word({}, 'attestation', signerOf('somebody')), /is not the attestation signature/],
  ['of 5 KiB', new Uint8Array(5 * 1024), /has 5120 bytes, at most 4096 are allowed/],
  ['with an unknown verdict', word({ verdict: 'maybe' }), /body\.verdict: must be "safe" or "unsafe"/],
  ['that is valid for two years', word({ expires: NOW + 800 * 86_400 }), /body\.expires: must be later than issued/],
  ['that is nothing', Uint8Array.of(1, 2, 3), /./],
])('a statement: is refused, and counted, each time it comes: %s', async (_name, encoded, reason) => {
  await using here = world()
  for (const times of [1, 2]) {
    expect(() => here.trust.take(encoded, gossip)).toThrow(ProtocolError)
    expect(here.reported('trust:refused')).toHaveLength(times)
  }
  expect(here.reported('trust:refused')[0]?.reason).toMatch(reason)
  expect(here.trust.statements()).toEqual([])
  expect(here.facts().quorum).toBeNull()
})

it('a statement: out of time is dropped, not refused', async ({ here, trust }) => {
  expect(trust.take(attest(hub, 'safe', { issued: NOW - 9, expires: NOW }), gossip)).toBe('dropped')
  const early = attest(hub, 'safe', { issued: NOW + 121 })
  expect(trust.take(early, gossip)).toBe('dropped')
  expect(here.reported('trust:dropped').map(({ why }) => why)).toEqual(['expired', 'early'])
  await here.clock.advance(1000)
  expect(trust.take(early, gossip)).toBe('new')
})

it('a statement: of a signer that is not trusted costs no signature', async () => {
  const { keys, count } = counted()
  await using here = world(undefined, { keys })
  expect(here.trust.take(attest(stranger), gossip)).toBe('untrusted')
  expect(here.trust.take(delegate(stranger, hub), gossip)).toBe('untrusted')
  expect(count()).toBe(0)
  expect(here.trust.statements()).toEqual([])
})

it('a statement: costs one signature, however it comes again', async () => {
  const { keys, count } = counted()
  await using here = world(undefined, { keys })
  const one = attest(hub)
  here.trust.recordValidator.validate(`/attest/${toBase32(CODE.bytes)}/${toBase32(addressBytes(hub.address))}`, one)
  for (let i = 0; i < 5; i++) {
    here.trust.take(one, gossip)
    here.trust.factsOf(subject([one]))
  }
  expect(count()).toBe(1)
})

it("a statement: a peer's forgeries cost so much and no more, and those of others are not kept out", async () => {
  const { keys, count } = counted()
  await using here = world(undefined, { keys })
  let refused = 0
  for (let seq = 0; seq < 1000; seq++) {
    try {
      here.trust.take(attest(hub, 'safe', { seq, network: 'elsewhere' }), gossip)
    } catch {
      refused++
    }
  }
  expect(refused).toBe(256)
  expect(count()).toBe(256)
  expect(here.trust.take(attest(hub), gossip)).toBe('dropped')
  expect(here.reported('trust:dropped').at(-1)).toEqual({ why: 'quota', ...gossip })
  expect(here.trust.take(attest(hub), { via: 'gossip', from: 'honest' })).toBe('new')
  // a peer that sends valid statements is not bounded
  for (let seq = 1; seq < 600; seq++) {
    expect(here.trust.take(attest(hub, 'safe', { seq }), { via: 'sync', from: 'honest' })).toBe('new')
  }
})

it('a statement: that cannot be written is dropped, and may come again', async ({ here }) => {
  let full = true
  const { statements } = here.journal
  const put: typeof statements.put = (kept) => {
    if (full) throw new UnavailableError('the disk is full')
    return statements.put(kept)
  }
  await using there = world(undefined, { statements: { ...statements, put } })
  expect(there.trust.take(attest(hub), gossip)).toBe('dropped')
  expect(there.reported('trust:dropped')).toEqual([{ why: 'journal', ...gossip }])
  full = false
  expect(there.trust.take(attest(hub), gossip)).toBe('new')
})

/** A word of the hub with a change to its body, as signed for a kind, by itself or another. */
function word(change: object, kind = 'attestation', by = hub): Uint8Array {
  const fields = { code: CODE, verdict: 'safe', issued: NOW, expires: NOW + 60, seq: 0, ...change }
  const body = encodeCanonical({ v: 1, hub: addressBytes(hub.address), ...fields })
  return encodeCanonical({ body, sig: signFor(by, NETWORK, kind, body) })
}

function counted(): { keys: KeyCache; count(): number } {
  const real = createKeyCache()
  let checks = 0
  const keys: KeyCache = {
    verify(...all) {
      checks++
      return real.verify(...all)
    },
  }
  return { keys, count: () => checks }
}
