import { describe, expect, it } from 'vitest'
import { cidOfStructure } from '../../../../protocols/encoding.ts'
import { signerOf } from '../../../../scripts/vectors/kit/kit.ts'
import { attest, type CODE, delegate, freeze, hubs, NOW, own, stranger, subject, world } from '../fixtures.ts'

const [hub] = hubs

describe('the validator of the statements topic', () => {
  it('forwards what is new of who counts, once', async () => {
    await using here = world()
    for (const one of [attest(hub), freeze(hub, '5'), delegate(own, stranger)]) {
      expect(here.trust.validateGossip(one, 'p')).toBe('accept')
      expect(here.trust.validateGossip(one, 'q')).toBe('ignore')
    }
    expect(here.trust.validateGossip(attest(hub, 'unsafe', { seq: 1 }), 'p')).toBe('accept')
    expect(here.trust.validateGossip(attest(hub), 'p')).toBe('ignore')
    expect(here.heard('trust:statement')).toHaveLength(4)
  })

  it('rejects what is malformed or forged, and ignores what is out of time', async () => {
    await using here = world()
    expect(here.trust.validateGossip(Uint8Array.of(0xa0), 'p')).toBe('reject')
    expect(here.trust.validateGossip(new Uint8Array(5000), 'p')).toBe('reject')
    expect(here.trust.validateGossip(attest(hub, 'safe', { network: 'elsewhere' }), 'p')).toBe('reject')
    expect(here.trust.validateGossip(attest(hub, 'safe', { issued: NOW + 500 }), 'p')).toBe('ignore')
    expect(here.trust.validateGossip(attest(hub, 'safe', { issued: NOW - 5, expires: NOW - 1 }), 'p')).toBe('ignore')
    expect(here.heard('trust:refused').map(({ from }) => from)).toEqual(['p', 'p', 'p'])
  })

  it('ignores who does not count', async () => {
    await using here = world()
    for (const one of [attest(stranger), freeze(stranger, '5'), delegate(stranger, own)]) {
      expect(here.trust.validateGossip(one, 'p')).toBe('ignore')
    }
    expect(here.trust.statements()).toEqual([])
  })

  it('forwards a stranger\'s "unsafe" about code of a live service, without believing it', async () => {
    await using here = world()
    here.liveCode = false
    expect(here.trust.validateGossip(attest(stranger, 'unsafe'), 'p')).toBe('ignore')
    here.liveCode = true
    expect(here.trust.validateGossip(attest(stranger, 'unsafe'), 'p')).toBe('accept')
    // of one hub and code only what is new
    expect(here.trust.validateGossip(attest(stranger, 'unsafe'), 'p')).toBe('ignore')
    expect(here.trust.validateGossip(attest(stranger, 'unsafe', { seq: 1 }), 'p')).toBe('accept')
    expect(here.trust.validateGossip(attest(stranger, 'unsafe', { seq: 0, expires: NOW + 9 }), 'p')).toBe('ignore')
    expect(here.trust.validateGossip(attest(stranger, 'safe', { seq: 2 }), 'p')).toBe('ignore')
    expect(here.trust.validateGossip(attest(stranger, 'unsafe', { seq: 9, network: 'elsewhere' }), 'p')).toBe('reject')
    expect(here.trust.factsOf(subject()).quorum).toBeNull()
    expect(here.trust.statements()).toEqual([])
    expect(here.heard('trust:statement')).toEqual([])
  })

  it('forwards so many strangers about one code, and of one peer, and then others again', async () => {
    await using here = world()
    const many = Array.from({ length: 60 }, (_, index) => signerOf(`gate ${index}`))
    const accepted = many.filter(
      (one, index) => here.trust.validateGossip(attest(one, 'unsafe'), `peer ${index}`) === 'accept',
    )
    expect(accepted).toHaveLength(8)
    const codes = many.map((_, index) => cidOfStructure(Uint8Array.of(index)))
    const ofOne = codes.filter(
      (code) => here.trust.validateGossip(attest(stranger, 'unsafe', { code }), 'one') === 'accept',
    )
    expect(ofOne).toHaveLength(32)
    expect(here.trust.validateGossip(attest(stranger, 'unsafe', { code: codes[59] as typeof CODE }), 'another')).toBe(
      'accept',
    )
    await here.clock.advance(60_000)
    expect(here.trust.validateGossip(attest(stranger, 'unsafe'), 'one')).toBe('accept')
  })

  it("a forgery uses up nobody's share of a code", async () => {
    await using here = world()
    for (let index = 0; index < 30; index++) {
      expect(here.trust.validateGossip(attest(stranger, 'unsafe', { seq: index, network: 'elsewhere' }), 'liar')).toBe(
        'reject',
      )
    }
    const many = Array.from({ length: 8 }, (_, index) => signerOf(`gate ${index}`))
    for (const one of many) expect(here.trust.validateGossip(attest(one, 'unsafe'), 'honest')).toBe('accept')
  })
})
