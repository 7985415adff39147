import { describe, expect, it } from 'vitest'
import { rankOf } from '../../../../src/runner/andromeda/ranking.ts'
import type { ReceivedService } from '../../../../src/runner/index.ts'
import { configOf, STRANGER, serviceOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { SYMBIOTE } from './any.ts'

const GIB = 1024 ** 3
const PRICING = { kly: { GIB_HOUR: '0.2' }, free: {} }
const rank = (service: Partial<ReceivedService>, settings: object = {}) =>
  rankOf(serviceOf(service), configOf(settings))
const offer = (perHour: string, asset = 'kly') => ({
  keywords: [],
  resources: { memory: GIB, disk: 0, cpu: 1, pids: 1 },
  reward: { asset, perHour },
})

describe('the rank', () => {
  it.each([
    ['nothing offered', '0', 0],
    ['the price', '0.2', 100],
    ['a hundredth of a percent more', '0.20002', 100],
    ['a tenth of a percent more', '0.2002', 100.1],
    ['twice the price', '0.4', 200],
    ['ten times the price', '2', 1000],
    ['more than ten times the price', '999999999', 1000],
  ])('of a reward: %s', (_says, perHour, expected) => {
    expect(rank(offer(perHour), { PRICING })).toBe(expected)
  })

  it.each(['doge', 'free', 'constructor'])('counts no reward in an asset that has no price: %s', (asset) => {
    expect(rank(offer('5', asset), { PRICING })).toBe(0)
    expect(rank(offer('5'), {})).toBe(0)
  })

  const PREFER_HOSTCHAINS = { btc: { MIN_FREEZE: 3 }, sol: {} }
  const six = ['a', 'b', 'c', 'd', 'e', 'f']
  it.each<[string, Partial<ReceivedService>, object, number]>([
    ['preferred symbiotes', { symbiotes: [SYMBIOTE, STRANGER] }, {}, 50],
    ['host chains, each once', { hostchains: ['BTC', 'btc', 'algo'] }, {}, 50],
    ['both', { hostchains: ['sol', 'btc'], symbiotes: [SYMBIOTE] }, {}, 150],
    ['keywords that match, each once', { keywords: ['API', 'api', 'games', 'Tor'] }, {}, 20],
    ['no keywords where none are wanted', { keywords: ['api'] }, { KEYWORDS: [] }, 0],
    ['four keywords at most', { keywords: ['web3', 'defi', 'bridge', 'tor', 'control', 'storage', 'api'] }, {}, 40],
    [
      'four host chains at most, since words cost an author nothing',
      { hostchains: six },
      { PREFER_HOSTCHAINS: Object.fromEntries(six.map((chain) => [chain, {}])) },
      200,
    ],
  ])('counts %s', (_says, service, settings, expected) => {
    const preferred = { PREFER_SYMBIOTES: { [SYMBIOTE]: {} }, PREFER_HOSTCHAINS, ...settings }
    expect(rank({ keywords: [], ...service }, preferred)).toBe(expected)
  })

  it('is in every verdict', () => {
    expect(verdictOf()).toMatchObject({ run: { executor: 'docker' }, rank: 10 })
    expect(verdictOf({}, { author: STRANGER })).toMatchObject({ run: false, rank: 10 })
  })
})
