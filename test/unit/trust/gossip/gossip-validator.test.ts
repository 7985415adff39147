import { expect } from 'vitest'
import { cidOfStructure } from '../../../../protocols/encoding.ts'
import { signerOf } from '../../../../scripts/vectors/kit/kit.ts'
import { attest, delegate, freeze, hubs, NOW, own, stranger } from '../fixtures.ts'
import { it } from '../world.ts'

const [hub] = hubs
const strangers = (count: number) => Array.from({ length: count }, (_, index) => signerOf(`gate ${index}`))

it('the validator of the statements topic: forwards what is new of a signer that counts, once', ({
  here,
  validate,
}) => {
  for (const one of [attest(hub), freeze(hub, '5'), delegate(own, stranger)]) {
    expect([validate(one, 'p'), validate(one, 'q')]).toEqual(['accept', 'ignore'])
  }
  expect(validate(attest(hub, 'unsafe', { seq: 1 }), 'p')).toBe('accept')
  expect(validate(attest(hub), 'p')).toBe('ignore')
  expect(here.reported('trust:statement')).toHaveLength(4)
})

it('the validator rejects what is malformed or forged, and ignores what is out of time', ({ here, validate }) => {
  const forged = attest(hub, 'safe', { network: 'elsewhere' })
  for (const one of [Uint8Array.of(0xa0), new Uint8Array(5000), forged]) expect(validate(one, 'p')).toBe('reject')
  for (const times of [{ issued: NOW + 500 }, { issued: NOW - 5, expires: NOW - 1 }]) {
    expect(validate(attest(hub, 'safe', times), 'p')).toBe('ignore')
  }
  expect(here.reported('trust:refused').map(({ from }) => from)).toEqual(['p', 'p', 'p'])
})

it('the validator of the statements topic: ignores a signer that does not count', ({ trust, validate }) => {
  for (const one of [attest(stranger), freeze(stranger, '5'), delegate(stranger, own)]) {
    expect(validate(one, 'p')).toBe('ignore')
  }
  expect(trust.statements()).toEqual([])
})

it('a stranger\'s "unsafe" about code of a live service is forwarded, not believed', ({ here, trust, validate }) => {
  here.liveCode = false
  expect(validate(attest(stranger, 'unsafe'), 'p')).toBe('ignore')
  here.liveCode = true
  // of one hub and code only what is new
  for (const [verdict, change, answer] of [
    ['unsafe', {}, 'accept'],
    ['unsafe', {}, 'ignore'],
    ['unsafe', { seq: 1 }, 'accept'],
    ['unsafe', { expires: NOW + 9 }, 'ignore'],
    ['safe', { seq: 2 }, 'ignore'],
    ['unsafe', { seq: 9, network: 'elsewhere' }, 'reject'],
  ] as const) {
    expect(validate(attest(stranger, verdict, change), 'p')).toBe(answer)
  }
  expect(here.facts().quorum).toBeNull()
  expect([trust.statements(), here.reported('trust:statement')]).toEqual([[], []])
})

it('so many strangers about one code are forwarded, and of one peer, then others again', async ({ here, validate }) => {
  const isAccepted = (encoded: Uint8Array, from: string) => validate(encoded, from) === 'accept'
  const many = strangers(60)
  expect(many.filter((one, index) => isAccepted(attest(one, 'unsafe'), `peer ${index}`))).toHaveLength(8)
  const about = many.map((_, index) => attest(stranger, 'unsafe', { code: cidOfStructure(Uint8Array.of(index)) }))
  expect(about.filter((one) => isAccepted(one, 'one'))).toHaveLength(32)
  expect(validate(about[59] as Uint8Array, 'another')).toBe('accept')
  await here.clock.advance(60_000)
  expect(validate(attest(stranger, 'unsafe'), 'one')).toBe('accept')
})

it('the validator of the statements topic: a forgery uses up no share of a code', ({ validate }) => {
  for (let seq = 0; seq < 30; seq++) {
    expect(validate(attest(stranger, 'unsafe', { seq, network: 'elsewhere' }), 'dishonest')).toBe('reject')
  }
  for (const one of strangers(8)) expect(validate(attest(one, 'unsafe'), 'honest')).toBe('accept')
})
