import { expect, it } from 'vitest'
import { freeze } from '../../../../src/runner/andromeda/rules/freeze.ts'
import { trust } from '../../../../src/runner/andromeda/rules/trust.ts'
import { veto } from '../../../../src/runner/andromeda/rules/veto.ts'
import type { HubStatement } from '../../../../src/runner/contract.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, OWN, reasonOf, STRANGER, serviceOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { defers, fails, type Given, HUB, HUBS, OTHER, passes, rowsOf, said, table } from './table.ts'

const both = [said(HUB, 'safe'), said(OTHER, 'safe')]
const ROOT = 'Dngw8rHeiXs5srFzi4MVS2y4aU7zff9SERLdaFWmyvTj'
const tree = (DEPTH: number) => ({ TRUST_TREE: { ROOTS: { [ROOT]: { DEPTH } } } })
const service = { author: STRANGER }
const settings = { TRUSTED_HUBS: HUBS }
const hubs = rowsOf((node: Given['node'], more: Given = {}) => ({ settings, service, node, ...more }))

table(trust, [
  passes('own address'),
  passes('a root', { settings: { TRUST_TREE: { ROOTS: { [STRANGER]: {} } } }, service }),
  passes('vouched for', { service, node: { inTree: true } }),
  fails('a stranger, no hubs', {
    service,
    message: `the author ${STRANGER} is not in the trust tree, and no hubs are trusted`,
    needs: ['author', 'one-of', OWN],
  }),
  fails('a stranger, and hubs that are not trusted', { service, node: { attestations: both } }),
  fails('a stranger, and a root that does not vouch for it', {
    settings: tree(0),
    service,
    needs: ['author', 'one-of', [OWN, ROOT].sort().join(', ')],
    reasons: 1,
  }),
  defers('a stranger, and a root that may vouch', {
    settings: tree(1),
    service,
    message: `the author ${STRANGER} is not in the trust tree, and no hubs are trusted: it takes a delegation of ${ROOT}, or of one that it vouches for`,
    needs: ['delegation', 'one-of', ROOT],
    reasons: 1,
  }),
  passes('vouched for, and more might be', { settings: tree(1), service, node: { inTree: true } }),
  defers('a stranger, and several roots that may vouch', {
    settings: { TRUST_TREE: { ROOTS: { [ROOT]: { DEPTH: 3 }, [HUB]: { DEPTH: 1 }, [OTHER]: {} } } },
    service,
    message: new RegExp(`it takes a delegation of ${ROOT}, ${HUB}, or of one that they vouch for$`),
    needs: ['delegation', 'one-of', `${ROOT}, ${HUB}`],
  }),
  hubs.defers(
    'a stranger, hubs, and a root that may vouch',
    { attestations: both.slice(0, 1) },
    {
      settings: { ...settings, ...tree(1) },
      message: /1 of 2 trusted hubs call the code safe: it takes 1 more of \S+$/,
      reasons: 2,
    },
  ),
  hubs.passes(
    'the quorum is enough beside a root that may vouch',
    { attestations: both },
    { settings: { ...settings, ...tree(1) }, reasons: 1 },
  ),
  hubs.defers(
    'a stranger, nothing is known',
    {},
    {
      message: /no trusted hub is known to call the code safe: it takes 2 more of 7HHK\S+, HUor\S+$/,
      needs: ['quorum.hubs', 'at-least', '2'],
    },
  ),
  hubs.defers(
    'one of two',
    { attestations: both.slice(0, 1) },
    { message: new RegExp(`1 of 2 trusted hubs call the code safe: it takes 1 more of ${OTHER}$`) },
  ),
  hubs.passes(
    'two of two',
    { attestations: both, quorum: { hubs: 2, weight: 3, met: true } },
    { message: '2 trusted hubs call the code safe' },
  ),
  hubs.defers('one that says it twice', { attestations: [said(HUB, 'safe'), said(HUB, 'safe', -5)] }),
  hubs.defers('one has expired', { attestations: [said(HUB, 'safe', -200, 0), said(OTHER, 'safe')] }),
  hubs.defers('one is of the far future', { attestations: [said(HUB, 'safe', 121), said(OTHER, 'safe')] }),
  hubs.passes("one is within the clocks' difference", { attestations: [said(HUB, 'safe', 120), said(OTHER, 'safe')] }),
  hubs.defers('one calls it unsafe', { attestations: [said(HUB, 'unsafe'), said(OTHER, 'safe')] }),
  hubs.defers('one is not trusted', { attestations: [said(STRANGER, 'safe'), said(OTHER, 'safe')] }),
  hubs.defers('the node says that it is met, and no statement shows it', { quorum: { hubs: 2, weight: 3, met: true } }),
  hubs.defers(
    'the node says that it is not met, whatever the statements',
    { attestations: both, quorum: { hubs: 2, weight: 3, met: false } },
    { needs: ['quorum.met', 'be', 'true'] },
  ),
  hubs.passes(
    'one is enough by QUORUM',
    { attestations: [said(OTHER, 'safe')] },
    { settings: { ...settings, QUORUM: { HUBS: 1 } }, message: '1 trusted hub calls the code safe' },
  ),
  hubs.defers(
    'too light by QUORUM',
    { attestations: [said(OTHER, 'safe')] },
    {
      settings: { ...settings, QUORUM: { HUBS: 1, WEIGHT: 3 } },
      message: /the hubs that call the code safe weigh 0, QUORUM\.WEIGHT asks for 3$/,
      needs: ['quorum.weight', 'at-least', '3'],
    },
  ),
  hubs.passes(
    'heavy enough',
    { attestations: [said(HUB, 'safe')] },
    { settings: { ...settings, QUORUM: { HUBS: 1, WEIGHT: 3 } } },
  ),
])

const quorum = { on: 'quorum', code: serviceOf().code }
const delegation = { on: 'delegation', author: STRANGER }

it.each([
  ['the quorum, where hubs are configured', settings, [quorum]],
  ['a delegation, where a root may vouch', tree(1), [delegation]],
  ['either, where both are', { ...settings, ...tree(1) }, [quorum, delegation]],
  ['nothing, where neither is', {}, undefined],
])('a stranger: is redirected, and waits for %s', (_says, chosen, park) => {
  const verdict = verdictOf(chosen, service)
  expect(verdict).toMatchObject({ run: false, redirect: true })
  expect(verdict.park).toEqual(park)
})
it('a stranger: gets what would help, and that it may wait', () => {
  expect(reasonOf(verdictOf(tree(1), service), 'dormitory')?.message).toBe('may wait for a delegation for the author')
  const { reasons } = verdictOf({ ...settings, ...tree(1) }, service)
  const fields = reasons.filter(({ rule }) => rule === 'trust').map(({ needs }) => needs?.field)
  expect(fields).toEqual(['quorum.hubs', 'delegation'])
  expect(verdictOf(tree(1), service, { inTree: true }).run).not.toBe(false)
})
it('a stranger: is run where the rule only warns, with what it would have waited for', () => {
  const verdict = verdictOf({ ...tree(1), MODES: { trust: 'warn' } }, service)
  expect(verdict.run).not.toBe(false)
  expect(verdict.park).toBeUndefined()
  expect(reasonOf(verdict, 'trust')).toMatchObject({
    ...{ outcome: 'pass', warned: 'defer' },
    message: expect.stringContaining('only a warning: the author'),
  })
})

const known = rowsOf((attestations: HubStatement[], more: Given = {}) => ({
  settings,
  node: { attestations },
  ...more,
}))
const unsafe = (more: object) => said(HUB, 'unsafe', -60, 3600, more)

table(veto, [
  known.passes('nothing is known', []),
  known.passes('safe', [said(HUB, 'safe')]),
  known.fails('unsafe, though the author is the own address', [said(OTHER, 'safe'), said(HUB, 'unsafe')], {
    message: `the trusted hub ${HUB} calls the code unsafe`,
    needs: ['attestations', 'be', `safe by ${HUB}`],
    reasons: 1,
  }),
  known.fails('both', [said(OTHER, 'unsafe'), said(HUB, 'unsafe')], { reasons: 2 }),
  known.fails(
    'how bad it is, and why',
    [unsafe({ severity: 'high', report: 'https://hub.example/reports/7?lang=en' })],
    {
      message: `the trusted hub ${HUB} calls the code unsafe (severity high): https://hub.example/reports/7?lang=en`,
    },
  ),
  known.fails(
    'a report that is long and moves the cursor',
    [unsafe({ report: `https://hub.example/\u001b[2J\u202e${'é'.repeat(500)}` })],
    { message: /^the trusted hub \S+ calls the code unsafe: https:\/\/hub\.example\/\ufffd\[2J\ufffdé{80,90}\.\.\.$/ },
  ),
  known.fails('little, and still no', [unsafe({ severity: 'low' }), said(OTHER, 'safe')], {
    message: `the trusted hub ${HUB} calls the code unsafe (severity low)`,
  }),
  passes('a hub that is not trusted', { node: { attestations: [said(HUB, 'unsafe')] } }),
  known.passes('expired', [said(HUB, 'unsafe', -200, -1)]),
  known.passes('of the far future', [said(HUB, 'unsafe', 500)]),
  known.passes('taken back later', [said(HUB, 'safe', -10), said(HUB, 'unsafe', -20)]),
  known.fails('called unsafe later', [said(HUB, 'safe', -20), said(HUB, 'unsafe', -10)]),
  known.fails('both at once', [said(HUB, 'unsafe', -10), said(HUB, 'safe', -10)]),
])

it.each([{}, { keywords: [] }])(
  'what a trusted hub calls unsafe: is dropped whatever else is wrong with it, and never parked: %j',
  (service) => {
    const verdict = verdictOf({ ...settings, REDIRECT: 'always' }, service, { attestations: [said(HUB, 'unsafe')] })
    expect(verdict).toMatchObject({ run: false, redirect: false })
    expect(verdict.park).toBeUndefined()
    expect(verdict.reasons.at(-1)?.message).toBe('not redirected: what fails veto is dropped')
  },
)

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

it('an author without a freeze statement: waits for one on each chain, and is redirected', () => {
  const settings = { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 1 }, sol: { MIN_FREEZE: 2 } } }
  const service = { hostchains: ['sol', 'BTC', 'btc'] }
  const [btc, sol] = ['btc', 'sol'].map((chain) => ({ on: 'freeze', chain }))
  expect(verdictOf(settings, service)).toMatchObject({ run: false, redirect: true, park: [btc, sol] })
  expect(verdictOf(settings, service, { frozen: [frozen('1')] }).park).toEqual([sol])
})
