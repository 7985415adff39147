import { describe, expect, test } from 'vitest'
import type { Grant, Reason, Verdict } from '../../../src/base/verdict.ts'
import { createReplayCounters } from '../../../src/policy/replay-summary.ts'
import { type Answer, differenceOf, outcomeOf } from '../../../src/policy/verdict-diff.ts'

const LIMITS = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 0, pids: 1 }
const GRANT: Grant = { executor: 'host', ...LIMITS, network: { mode: 'none' } }
const reason = (rule: string, outcome: Reason['outcome'], warned?: 'fail'): Reason => ({
  rule,
  outcome,
  message: rule,
  warned,
})
const NOTHING = { run: false, redirect: false, reasons: [] } as const
const said = (verdict: Partial<Verdict>): Answer => ({ verdict: { ...NOTHING, ...verdict } })
const runs = (change: Partial<Verdict> = {}) => said({ run: GRANT, reasons: [reason('trust', 'pass')], ...change })

describe('two verdicts', () => {
  test.each<[Answer, string]>([
    [runs(), 'run'],
    [said({ park: [{ on: 'capacity' }], redirect: true }), 'parked'],
    [said({ park: [], redirect: true }), 'redirected'],
    [said({}), 'refused'],
    [{ failure: 'it threw' }, 'failed'],
  ])('are told in one word (%#)', (answer, word) => expect(outcomeOf(answer)).toBe(word))

  test('that say the same are no difference, whatever their words', () => {
    expect(differenceOf(runs(), runs({ reasons: [reason('trust', 'pass'), reason('new', 'pass')] }))).toBeUndefined()
    expect(differenceOf({ failure: 'a' }, { failure: 'b' })).toBeUndefined()
  })

  test('name the rules that changed their mind, and only those', () => {
    const refused = said({ reasons: [reason('keywords', 'fail'), reason('trust', 'fail'), reason('limits', 'pass')] })
    const before = runs({ reasons: [reason('keywords', 'pass'), reason('trust', 'pass')] })
    expect(differenceOf(before, refused)).toEqual({ from: 'run', to: 'refused', rules: ['keywords', 'trust'] })
    const still = said({ redirect: true, reasons: [reason('trust', 'fail')] })
    expect(differenceOf(refused, still)).toEqual({ from: 'refused', to: 'redirected', rules: ['keywords'] })
    const deferred = said({ park: [{ on: 'capacity' }], reasons: [reason('trust', 'defer')] })
    expect(differenceOf(still, deferred)?.rules).toEqual(['trust'])
    // one rule may give several reasons: that one of them fails is what counts
    const both = said({ reasons: [reason('limits', 'fail'), reason('limits', 'defer'), reason('trust', 'fail')] })
    const one = said({ redirect: true, reasons: [reason('limits', 'defer'), reason('limits', 'fail')] })
    expect(differenceOf(both, one)?.rules).toEqual(['trust'])
  })

  test('with the same rules in the way blame the first; a failed runner is to blame itself', () => {
    const one = said({ reasons: [reason('a', 'fail'), reason('b', 'fail')] })
    expect(differenceOf(one, said({ ...one.verdict, redirect: true }))?.rules).toEqual(['a'])
    expect(differenceOf(one, { failure: 'it threw' })).toEqual({ from: 'refused', to: 'failed', rules: ['runner'] })
  })

  test('of one word can still differ in their terms', () => {
    expect(differenceOf(runs(), runs({ redirect: true }))).toMatchObject({ from: 'run', to: 'run', terms: 'redirect' })
    expect(differenceOf(runs(), runs({ run: { ...GRANT, memoryBytes: 2 } }))).toMatchObject({ terms: 'grant' })
    const parked = (on: 'capacity' | 'policy') => said({ park: [{ on }] })
    expect(differenceOf(parked('capacity'), parked('policy'))).toMatchObject({ terms: 'conditions' })
  })
})

test('a tally counts changes by kind and by rule, and warnings once for each service', () => {
  const tally = createReplayCounters()
  const warning = runs({ reasons: [reason('price', 'pass', 'fail'), reason('price', 'pass', 'fail')] })
  for (let count = 0; count < 3; count++) tally.add({ inForce: 'run', candidate: 'refused' }, warning.verdict)
  tally.add({ inForce: 'run', candidate: 'run' }, undefined)
  tally.change({ from: 'run', to: 'parked', rules: ['trust'] })
  tally.change({ from: 'run', to: 'refused', rules: ['trust', 'limits'] })
  tally.change({ from: 'run', to: 'refused', rules: ['trust'] })
  const summary = tally.summary()
  expect(summary).toMatchObject({ asked: 4, changed: 3, warned: [{ rule: 'price', count: 3 }] })
  expect(summary.kinds.map(({ to, count }) => [to, count])).toEqual([
    ['refused', 2],
    ['parked', 1],
  ])
  expect(summary.rules).toEqual([
    { rule: 'trust', count: 3 },
    { rule: 'limits', count: 1 },
  ])
  expect([summary.inForce.run, summary.candidate.refused, summary.candidate.run]).toEqual([4, 3, 1])
})
