import { describe, expect, it } from 'vitest'
import { trust } from '../../../../src/runner/andromeda/rules/trust.ts'
import { OWN, reasonOf, STRANGER, serviceOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { HUB, HUBS, OTHER, said } from './hubs.ts'
import { defers, fails, type Given, passes, rowsOf, table } from './table.ts'

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
  fails('a stranger, and hubs that nobody trusts', { service, node: { attestations: both } }),
  fails('a stranger, and a root that vouches for nobody', {
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
  passes('vouched for, and more might be', {
    settings: tree(1),
    service,
    node: { inTree: true },
  }),
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

describe('a stranger', () => {
  const quorum = { on: 'quorum', code: serviceOf().code }
  const delegation = { on: 'delegation', author: STRANGER }

  it.each([
    ['the quorum, where hubs are configured', settings, [quorum]],
    ['a delegation, where a root may vouch', tree(1), [delegation]],
    ['either, where both are', { ...settings, ...tree(1) }, [quorum, delegation]],
    ['nothing, where neither is', {}, undefined],
  ])('is passed on, and waits for %s', (_says, chosen, park) => {
    const verdict = verdictOf(chosen, service)
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.park).toEqual(park)
  })
  it('is told what would help, and that it may wait', () => {
    expect(reasonOf(verdictOf(tree(1), service), 'dormitory')?.message).toBe('may wait for a delegation for the author')
    const { reasons } = verdictOf({ ...settings, ...tree(1) }, service)
    const fields = reasons.filter(({ rule }) => rule === 'trust').map(({ needs }) => needs?.field)
    expect(fields).toEqual(['quorum.hubs', 'delegation'])
    expect(verdictOf(tree(1), service, { inTree: true }).run).not.toBe(false)
  })
  it('is run where the rule only warns, and told what it would have waited for', () => {
    const verdict = verdictOf({ ...tree(1), MODES: { trust: 'warn' } }, service)
    expect(verdict.run).not.toBe(false)
    expect(verdict.park).toBeUndefined()
    expect(reasonOf(verdict, 'trust')).toMatchObject({
      ...{ outcome: 'pass', warned: 'defer' },
      message: expect.stringContaining('only a warning: the author'),
    })
  })
})
