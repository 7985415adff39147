import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { trust } from '../../../../src/runner/andromeda/rules/trust.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../support.ts'
import { HUB, HUBS, OTHER, said } from './hubs.ts'
import { type Case, table } from './table.ts'

const both = [said(HUB, 'safe'), said(OTHER, 'safe')]
const ROOT = 'Dngw8rHeiXs5srFzi4MVS2y4aU7zff9SERLdaFWmyvTj'
const tree = (DEPTH: number) => ({ TRUST_TREE: { ROOTS: { [ROOT]: { DEPTH } } } })
const hubs = (
  says: string,
  outcome: Case['outcome'],
  node: Partial<RunnerSnapshot>,
  more: Partial<Case> = {},
): Case => ({
  says,
  outcome,
  settings: { TRUSTED_HUBS: HUBS },
  service: { author: STRANGER },
  node,
  ...more,
})

table(trust, [
  { says: 'own address', outcome: 'pass' },
  {
    says: 'a root',
    outcome: 'pass',
    settings: { TRUST_TREE: { ROOTS: { [STRANGER]: {} } } },
    service: { author: STRANGER },
  },
  { says: 'vouched for', outcome: 'pass', service: { author: STRANGER }, node: { inTree: true } },
  {
    says: 'a stranger, no hubs',
    outcome: 'fail',
    service: { author: STRANGER },
    message: `the author ${STRANGER} is not in the trust tree, and no hubs are trusted`,
    needs: { field: 'author', must: 'one-of', value: OWN },
  },
  {
    says: 'a stranger, and hubs that nobody trusts',
    outcome: 'fail',
    service: { author: STRANGER },
    node: { attestations: both },
  },
  {
    says: 'a stranger, and a root that vouches for nobody',
    outcome: 'fail',
    settings: tree(0),
    service: { author: STRANGER },
    needs: { field: 'author', must: 'one-of', value: [OWN, ROOT].sort().join(', ') },
    reasons: 1,
  },
  {
    says: 'a stranger, and a root that may vouch',
    outcome: 'defer',
    settings: tree(1),
    service: { author: STRANGER },
    message: `the author ${STRANGER} is not in the trust tree, and no hubs are trusted: it takes a delegation of ${ROOT}, or of one that it vouches for`,
    needs: { field: 'delegation', must: 'one-of', value: ROOT },
    reasons: 1,
  },
  {
    says: 'vouched for, and more might be',
    outcome: 'pass',
    settings: tree(1),
    service: { author: STRANGER },
    node: { inTree: true },
  },
  {
    says: 'a stranger, and several roots that may vouch',
    outcome: 'defer',
    settings: { TRUST_TREE: { ROOTS: { [ROOT]: { DEPTH: 3 }, [HUB]: { DEPTH: 1 }, [OTHER]: {} } } },
    service: { author: STRANGER },
    message: new RegExp(`it takes a delegation of ${ROOT}, ${HUB}, or of one that they vouch for$`),
    needs: { field: 'delegation', must: 'one-of', value: `${ROOT}, ${HUB}` },
  },
  hubs(
    'a stranger, hubs, and a root that may vouch',
    'defer',
    { attestations: both.slice(0, 1) },
    {
      settings: { TRUSTED_HUBS: HUBS, ...tree(1) },
      message: /1 of 2 trusted hubs call the code safe: it takes 1 more of \S+$/,
      reasons: 2,
    },
  ),
  hubs(
    'the quorum is enough beside a root that may vouch',
    'pass',
    { attestations: both },
    { settings: { TRUSTED_HUBS: HUBS, ...tree(1) }, reasons: 1 },
  ),
  hubs(
    'a stranger, nothing is known',
    'defer',
    {},
    {
      message: /no trusted hub is known to call the code safe: it takes 2 more of 7HHK\S+, HUor\S+$/,
      needs: { field: 'quorum.hubs', must: 'at-least', value: '2' },
    },
  ),
  hubs(
    'one of two',
    'defer',
    { attestations: both.slice(0, 1) },
    {
      message: new RegExp(`1 of 2 trusted hubs call the code safe: it takes 1 more of ${OTHER}$`),
    },
  ),
  hubs(
    'two of two',
    'pass',
    { attestations: both, quorum: { hubs: 2, weight: 3, met: true } },
    {
      message: '2 trusted hubs call the code safe',
    },
  ),
  hubs('one that says it twice', 'defer', { attestations: [said(HUB, 'safe'), said(HUB, 'safe', -5)] }),
  hubs('one has expired', 'defer', { attestations: [said(HUB, 'safe', -200, 0), said(OTHER, 'safe')] }),
  hubs('one is of the far future', 'defer', { attestations: [said(HUB, 'safe', 121), said(OTHER, 'safe')] }),
  hubs("one is within the clocks' difference", 'pass', { attestations: [said(HUB, 'safe', 120), said(OTHER, 'safe')] }),
  hubs('one calls it unsafe', 'defer', { attestations: [said(HUB, 'unsafe'), said(OTHER, 'safe')] }),
  hubs('one is not trusted', 'defer', { attestations: [said(STRANGER, 'safe'), said(OTHER, 'safe')] }),
  hubs('the node says that it is met, and no statement shows it', 'defer', {
    quorum: { hubs: 2, weight: 3, met: true },
  }),
  hubs(
    'the node says that it is not met, whatever the statements',
    'defer',
    {
      attestations: both,
      quorum: { hubs: 2, weight: 3, met: false },
    },
    { needs: { field: 'quorum.met', must: 'be', value: 'true' } },
  ),
  hubs(
    'one is enough by QUORUM',
    'pass',
    { attestations: [said(OTHER, 'safe')] },
    {
      settings: { TRUSTED_HUBS: HUBS, QUORUM: { HUBS: 1 } },
      message: '1 trusted hub calls the code safe',
    },
  ),
  hubs(
    'too light by QUORUM',
    'defer',
    { attestations: [said(OTHER, 'safe')] },
    {
      settings: { TRUSTED_HUBS: HUBS, QUORUM: { HUBS: 1, WEIGHT: 3 } },
      message: /the hubs that call the code safe weigh 0, QUORUM\.WEIGHT asks for 3$/,
      needs: { field: 'quorum.weight', must: 'at-least', value: '3' },
    },
  ),
  hubs(
    'heavy enough',
    'pass',
    { attestations: [said(HUB, 'safe')] },
    {
      settings: { TRUSTED_HUBS: HUBS, QUORUM: { HUBS: 1, WEIGHT: 3 } },
    },
  ),
])

describe('a stranger', () => {
  it('waits for the quorum and is passed on, where hubs are configured', () => {
    const service = serviceOf({ author: STRANGER })
    const verdict = andromeda(service, snapshotOf(configOf({ TRUSTED_HUBS: HUBS })))
    expect(verdict).toMatchObject({ run: false, redirect: true, park: [{ on: 'quorum', code: service.code }] })
  })
  it('waits for a delegation beside the quorum, where a root may vouch, and for it alone where no hub is trusted', () => {
    const service = serviceOf({ author: STRANGER })
    const delegation = { on: 'delegation', author: STRANGER }
    const ask = (settings: object, node: Partial<RunnerSnapshot> = {}) =>
      andromeda(service, snapshotOf(configOf(settings), node))
    const alone = ask(tree(1))
    expect(alone).toMatchObject({ run: false, redirect: true, park: [delegation] })
    expect(alone.reasons.find(({ rule }) => rule === 'dormitory')?.message).toBe(
      'may wait for a delegation for the author',
    )
    const both = ask({ TRUSTED_HUBS: HUBS, ...tree(1) })
    expect(both.park).toEqual([{ on: 'quorum', code: service.code }, delegation])
    expect(both.reasons.filter(({ rule }) => rule === 'trust').map(({ needs }) => needs?.field)).toEqual([
      'quorum.hubs',
      'delegation',
    ])
    expect(ask(tree(1), { inTree: true }).run).not.toBe(false)
  })
  it('is run where the rule only warns, and told what it would have waited for', () => {
    const verdict = andromeda(
      serviceOf({ author: STRANGER }),
      snapshotOf(configOf({ ...tree(1), MODES: { trust: 'warn' } })),
    )
    expect(verdict.run).not.toBe(false)
    expect(verdict.park).toBeUndefined()
    expect(verdict.reasons.find(({ rule }) => rule === 'trust')).toMatchObject({
      outcome: 'pass',
      warned: 'defer',
      message: expect.stringContaining('only a warning: the author'),
    })
  })
  it('is passed on without waiting, where there are none', () => {
    const verdict = andromeda(serviceOf({ author: STRANGER }), snapshotOf())
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.park).toBeUndefined()
  })
})
