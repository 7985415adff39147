import { price } from '../../../../src/runner/andromeda/rules/price.ts'
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
