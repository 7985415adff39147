import { expect, it } from 'vitest'
import { rankOf } from '../../../../src/runner/andromeda/ranking.ts'
import { price } from '../../../../src/runner/andromeda/rules/price.ts'
import type { ReceivedService } from '../../../../src/runner/index.ts'
import { configOf, STRANGER, serviceOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { SYMBIOTE } from './any.ts'
import { fails, type Given, passes, rowsOf, table } from './table.ts'

const GIB = 1024 ** 3
const resources = { memory: 2 * GIB, cpu: 500, disk: 0, pids: 1 }
const kly = { kly: { GIB_HOUR: '0.1', CORE_HOUR: '0.04' } }
const offer = rowsOf<[perHour: string, asset?: string, more?: Given]>((perHour, asset = 'kly', more = {}) => ({
  settings: { PRICING: kly },
  service: { resources, reward: { asset, perHour } },
  ...more,
}))

table(price, [
  passes('no PRICING asks nothing', { settings: { PRICING: {} } }),
  offer.passes('exactly the price: 2 x 0.1 + 0.5 x 0.04', '0.22'),
  offer.passes('more', '1'),
  offer.fails('the smallest part less', '0.219999999999999999', 'kly', {
    message: 'offers 0.219999999999999999 kly an hour, PRICING asks for at least 0.22',
    needs: ['reward.perHour', 'at-least', '0.22'],
  }),
  offer.fails('another asset', '1000', 'doge', {
    message: 'offers a reward in doge; PRICING asks an hour for 0.22 kly',
    needs: ['reward', 'one-of', '0.22 kly'],
  }),
  offer.fails('an asset that every object has', '1000', 'constructor'),
  fails('no reward', {
    settings: { PRICING: { ...kly, usd: { CORE_HOUR: 3 } } },
    service: { resources },
    message: 'offers no reward; PRICING asks an hour for 0.22 kly, 1.5 usd',
    needs: ['reward', 'one-of', '0.22 kly, 1.5 usd'],
  }),
  passes('an asset in which it costs nothing', { settings: { PRICING: { ...kly, free: {} } } }),
  offer.fails('what no float holds', '123456789012345678901234567890.122222222222222222', 'kly', {
    settings: { PRICING: { kly: { CORE_HOUR: '246913578024691357802469135780.244444444444444446' } } },
    needs: ['reward.perHour', 'at-least', '123456789012345678901234567890.122222222222222223'],
  }),
  offer.fails('a price finer than a reward can be is rounded up', '0', 'kly', {
    settings: { PRICING: { kly: { GIB_HOUR: '0.000000000000000001' } } },
    service: { resources: { ...resources, memory: 1 }, reward: { asset: 'kly', perHour: '0' } },
    needs: ['reward.perHour', 'at-least', '0.000000000000000001'],
  }),
  offer.fails('no amount', '1e9'),
])

const PRICING = { kly: { GIB_HOUR: '0.2' }, free: {} }
const rank = (service: Partial<ReceivedService>, settings: object = {}) =>
  rankOf(serviceOf(service), configOf(settings))
const bid = (perHour: string, asset = 'kly') => ({
  keywords: [],
  resources: { memory: GIB, disk: 0, cpu: 1, pids: 1 },
  reward: { asset, perHour },
})

it.each([
  ['nothing offered', '0', 0],
  ['the price', '0.2', 100],
  ['a hundredth of a percent more', '0.20002', 100],
  ['a tenth of a percent more', '0.2002', 100.1],
  ['twice the price', '0.4', 200],
  ['ten times the price', '2', 1000],
  ['more than ten times the price', '999999999', 1000],
])('the rank: of a reward: %s', (_says, perHour, expected) => {
  expect(rank(bid(perHour), { PRICING })).toBe(expected)
})

it.each(['doge', 'free', 'constructor'])('the rank: counts no reward in an asset that has no price: %s', (asset) => {
  expect(rank(bid('5', asset), { PRICING })).toBe(0)
  expect(rank(bid('5'), {})).toBe(0)
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
])('the rank: counts %s', (_says, service, settings, expected) => {
  const preferred = { PREFER_SYMBIOTES: { [SYMBIOTE]: {} }, PREFER_HOSTCHAINS, ...settings }
  expect(rank({ keywords: [], ...service }, preferred)).toBe(expected)
})

it('the rank: is in every verdict', () => {
  expect(verdictOf()).toMatchObject({ run: { executor: 'docker' }, rank: 10 })
  expect(verdictOf({}, { author: STRANGER })).toMatchObject({ run: false, rank: 10 })
})
