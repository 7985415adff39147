import { describe, expect, it } from 'vitest'
import { freeze } from '../../../../src/runner/andromeda/rules/freeze.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { HUB, HUBS, OTHER } from './hubs.ts'
import { defers, type Given, passes, rowsOf, table } from './table.ts'

const SYMBIOTE = 'QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK'
const frozen = (amount: string, hub = HUB, chain = 'btc') => ({ hub, chain, amount })
const btc = rowsOf((MIN_FREEZE: number | string, statements: RunnerSnapshot['frozen'], more: Given = {}) => ({
  settings: { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE } } },
  service: { hostchains: ['btc'] },
  node: { frozen: statements },
  ...more,
}))

table(freeze, [
  btc.passes('MIN_FREEZE 0, as in the sample', 0, []),
  passes('no MIN_FREEZE', { settings: { PREFER_HOSTCHAINS: { btc: {} } }, service: { hostchains: ['btc'] } }),
  btc.passes('a chain that the service does not name', 10, [], { service: {} }),
  btc.defers('nothing is known', 10, [], {
    message: 'MIN_FREEZE on btc is 10, and nothing is known of what the author has frozen there',
    needs: ['frozen', 'at-least', '10 on btc'],
  }),
  btc.passes('exactly enough', '10.5', [frozen('10.5')]),
  btc.defers('one part too little', '10.5', [frozen('10.499999999999999999')], {
    message: 'MIN_FREEZE on btc is 10.5, and 10.499999999999999999 is known to be frozen there',
  }),
  btc.passes('digits count, not letters', 9, [frozen('10')]),
  btc.defers('more than a float holds', '9007199254740993', [frozen('9007199254740992')]),
  btc.passes('the most that one hub states', 10, [frozen('3'), frozen('10', OTHER), frozen('4')]),
  btc.defers('two hubs do not add up', 10, [frozen('5'), frozen('5', OTHER)]),
  btc.defers('a hub that is not trusted', 10, [frozen('99', SYMBIOTE)]),
  btc.defers('another chain', 10, [frozen('99', HUB, 'sol')]),
  btc.defers('no amount', 10, [frozen('1e9'), frozen('-1'), frozen('')]),
  btc.defers('a chain in capitals', 10, [], { service: { hostchains: ['BTC'] } }),
  btc.fails('no hubs could state it', 10, [frozen('99')], {
    settings: { PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 10 } } },
    message: /no hubs are trusted that could state/,
    needs: ['hostchains', 'be', 'without btc'],
  }),
  defers('a symbiote', {
    settings: { TRUSTED_HUBS: HUBS, PREFER_SYMBIOTES: { [SYMBIOTE]: { MIN_FREEZE: '1' } } },
    service: {
      symbiotes: [Object.keys(configOf({ PREFER_SYMBIOTES: { [SYMBIOTE]: {} } }).PREFER_SYMBIOTES)[0] as string],
    },
  }),
])

describe('an author without a freeze statement', () => {
  it('waits for one on each chain, and is passed on', () => {
    const settings = { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 1 }, sol: { MIN_FREEZE: 2 } } }
    const service = { hostchains: ['sol', 'BTC', 'btc'] }
    const [btc, sol] = ['btc', 'sol'].map((chain) => ({ on: 'freeze', chain }))
    expect(verdictOf(settings, service)).toMatchObject({ run: false, redirect: true, park: [btc, sol] })
    expect(verdictOf(settings, service, { frozen: [frozen('1')] }).park).toEqual([sol])
  })
})
