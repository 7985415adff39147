import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { rankOf } from '../../../../src/runner/andromeda/ranking.ts'
import type { ReceivedService } from '../../../../src/runner/index.ts'
import { configOf, STRANGER, serviceOf, snapshotOf } from '../support.ts'
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

  it('counts no reward in an asset that has no price', () => {
    for (const asset of ['doge', 'free', 'constructor']) expect(rank(offer('5', asset), { PRICING })).toBe(0)
    expect(rank(offer('5'), {})).toBe(0)
  })

  it('counts preferred symbiotes and host chains, and keywords that match, each word once', () => {
    const settings = { PREFER_SYMBIOTES: { [SYMBIOTE]: {} }, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 3 }, sol: {} } }
    expect(rank({ keywords: [], symbiotes: [SYMBIOTE, STRANGER] }, settings)).toBe(50)
    expect(rank({ keywords: [], hostchains: ['BTC', 'btc', 'algo'] }, settings)).toBe(50)
    expect(rank({ keywords: [], hostchains: ['sol', 'btc'], symbiotes: [SYMBIOTE] }, settings)).toBe(150)
    expect(rank({ keywords: ['API', 'api', 'games', 'Tor'] })).toBe(20)
    expect(rank({ keywords: ['api'] }, { KEYWORDS: [] })).toBe(0)
  })

  it('counts no more than four of a kind, since words cost an author nothing', () => {
    expect(rank({ keywords: ['web3', 'defi', 'bridge', 'tor', 'control', 'storage', 'api'] })).toBe(40)
    const hostchains = ['a', 'b', 'c', 'd', 'e', 'f']
    const PREFER_HOSTCHAINS = Object.fromEntries(hostchains.map((chain) => [chain, {}]))
    expect(rank({ keywords: [], hostchains }, { PREFER_HOSTCHAINS })).toBe(200)
  })

  it('is in every verdict', () => {
    expect(andromeda(serviceOf(), snapshotOf())).toMatchObject({ run: { executor: 'docker' }, rank: 10 })
    expect(andromeda(serviceOf({ author: STRANGER }), snapshotOf())).toMatchObject({ run: false, rank: 10 })
  })
})
