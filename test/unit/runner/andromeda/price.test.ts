import { price } from '../../../../src/runner/andromeda/rules/price.ts'
import { type Case, table } from './table.ts'

const GIB = 1024 ** 3
const resources = { memory: 2 * GIB, cpu: 500, disk: 0, pids: 1 }
const kly = { kly: { GIB_HOUR: '0.1', CORE_HOUR: '0.04' } }
const offer = (
  says: string,
  outcome: Case['outcome'],
  perHour: string,
  asset = 'kly',
  more: Partial<Case> = {},
): Case => ({
  says,
  outcome,
  settings: { PRICING: kly },
  service: { resources, reward: { asset, perHour } },
  ...more,
})

table(price, [
  { says: 'no PRICING asks nothing', outcome: 'pass', settings: { PRICING: {} } },
  offer('exactly the price: 2 x 0.1 + 0.5 x 0.04', 'pass', '0.22'),
  offer('more', 'pass', '1'),
  offer('the smallest part less', 'fail', '0.219999999999999999', 'kly', {
    message: 'offers 0.219999999999999999 kly an hour, PRICING asks for at least 0.22',
    needs: { field: 'reward.perHour', must: 'at-least', value: '0.22' },
  }),
  offer('another asset', 'fail', '1000', 'doge', {
    message: 'offers a reward in doge; PRICING asks an hour for 0.22 kly',
    needs: { field: 'reward', must: 'one-of', value: '0.22 kly' },
  }),
  offer('an asset that every object has', 'fail', '1000', 'constructor'),
  {
    says: 'no reward',
    outcome: 'fail',
    settings: { PRICING: { ...kly, usd: { CORE_HOUR: 3 } } },
    service: { resources },
    message: 'offers no reward; PRICING asks an hour for 0.22 kly, 1.5 usd',
    needs: { field: 'reward', must: 'one-of', value: '0.22 kly, 1.5 usd' },
  },
  { says: 'an asset in which it costs nothing', outcome: 'pass', settings: { PRICING: { ...kly, free: {} } } },
  offer('what no float holds', 'fail', '123456789012345678901234567890.122222222222222222', 'kly', {
    settings: { PRICING: { kly: { CORE_HOUR: '246913578024691357802469135780.244444444444444446' } } },
    needs: { field: 'reward.perHour', must: 'at-least', value: '123456789012345678901234567890.122222222222222223' },
  }),
  offer('a price finer than a reward can be is rounded up', 'fail', '0', 'kly', {
    settings: { PRICING: { kly: { GIB_HOUR: '0.000000000000000001' } } },
    service: { resources: { ...resources, memory: 1 }, reward: { asset: 'kly', perHour: '0' } },
    needs: { field: 'reward.perHour', must: 'at-least', value: '0.000000000000000001' },
  }),
  offer('no amount', 'fail', '1e9'),
])
