import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { freeze } from '../../../../src/runner/andromeda/rules/freeze.ts'
import { configOf, serviceOf, snapshotOf } from '../support.ts'
import { HUB, HUBS, OTHER } from './hubs.ts'
import { type Case, table } from './table.ts'

const SYMBIOTE = 'QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK'
const frozen = (amount: string, hub = HUB, chain = 'btc') => ({ hub, chain, amount })
const btc = (
  says: string,
  outcome: Case['outcome'],
  MIN_FREEZE: number | string,
  statements: object[],
  more: Partial<Case> = {},
): Case => ({
  says,
  outcome,
  settings: { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE } } },
  service: { hostchains: ['btc'] },
  node: { frozen: statements as never },
  ...more,
})

table(freeze, [
  btc('MIN_FREEZE 0, as in the sample', 'pass', 0, []),
  {
    says: 'no MIN_FREEZE',
    outcome: 'pass',
    settings: { PREFER_HOSTCHAINS: { btc: {} } },
    service: { hostchains: ['btc'] },
  },
  btc('a chain that the service does not name', 'pass', 10, [], { service: {} }),
  btc('nothing is known', 'defer', 10, [], {
    message: 'MIN_FREEZE on btc is 10, and nothing is known of what the author has frozen there',
    needs: { field: 'frozen', must: 'at-least', value: '10 on btc' },
  }),
  btc('exactly enough', 'pass', '10.5', [frozen('10.5')]),
  btc('one part too little', 'defer', '10.5', [frozen('10.499999999999999999')], {
    message: 'MIN_FREEZE on btc is 10.5, and 10.499999999999999999 is known to be frozen there',
  }),
  btc('digits count, not letters', 'pass', 9, [frozen('10')]),
  btc('more than a float holds', 'defer', '9007199254740993', [frozen('9007199254740992')]),
  btc('the most that one hub states', 'pass', 10, [frozen('3'), frozen('10', OTHER), frozen('4')]),
  btc('two hubs do not add up', 'defer', 10, [frozen('5'), frozen('5', OTHER)]),
  btc('a hub that is not trusted', 'defer', 10, [frozen('99', SYMBIOTE)]),
  btc('another chain', 'defer', 10, [frozen('99', HUB, 'sol')]),
  btc('no amount', 'defer', 10, [frozen('1e9'), frozen('-1'), frozen('')]),
  btc('a chain in capitals', 'defer', 10, [], { service: { hostchains: ['BTC'] } }),
  btc('no hubs could state it', 'fail', 10, [frozen('99')], {
    settings: { PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 10 } } },
    message: /no hubs are trusted that could state/,
    needs: { field: 'hostchains', must: 'be', value: 'without btc' },
  }),
  {
    says: 'a symbiote',
    outcome: 'defer',
    settings: { TRUSTED_HUBS: HUBS, PREFER_SYMBIOTES: { [SYMBIOTE]: { MIN_FREEZE: '1' } } },
    service: {
      symbiotes: [Object.keys(configOf({ PREFER_SYMBIOTES: { [SYMBIOTE]: {} } }).PREFER_SYMBIOTES)[0] as string],
    },
  },
])

describe('an author without a freeze statement', () => {
  it('waits for one on each chain, and is passed on', () => {
    const config = configOf({
      TRUSTED_HUBS: HUBS,
      PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 1 }, sol: { MIN_FREEZE: 2 } },
    })
    const service = serviceOf({ hostchains: ['sol', 'BTC', 'btc'] })
    expect(andromeda(service, snapshotOf(config))).toMatchObject({
      run: false,
      redirect: true,
      park: [
        { on: 'freeze', chain: 'btc' },
        { on: 'freeze', chain: 'sol' },
      ],
    })
    const one = andromeda(service, snapshotOf(config, { frozen: [frozen('1')] }))
    expect(one.park).toEqual([{ on: 'freeze', chain: 'sol' }])
  })
})
