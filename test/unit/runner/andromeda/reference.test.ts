import { describe, expect, it } from 'vitest'
import { RULE_NAMES } from '../../../../src/config/rule-names.ts'
import { andromeda, rules } from '../../../../src/runner/andromeda/index.ts'
import { rulesReference } from '../../../../src/runner/andromeda/reference.ts'
import { configOf, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'

/** Keys that no service can fail: they are for the executors, the network, the ranking, or for others' runners. */
const NOT_ASKED = ['DOCKER_CONFIGS', 'STATIC_NODES', 'HOST', 'CUSTOM', 'MODES']
/** Keys of the two answers that come after the rules. */
const AFTERWARDS = ['REDIRECT', 'REDIRECTION_DEPTH', 'DORMITORY']

describe('the rules', () => {
  it('are those that MODES knows, in one order', () => {
    expect(rules.map(({ name }) => name)).toEqual(RULE_NAMES)
    const { reasons } = andromeda(serviceOf(), snapshotOf())
    expect(reasons.map(({ rule }) => rule)).toEqual([...RULE_NAMES, 'redirection'])
  })

  it('read every key that a service can fail', () => {
    const read = new Set([...rules.flatMap(({ keys }) => keys), ...NOT_ASKED, ...AFTERWARDS])
    expect([...read].sort()).toEqual(Object.keys(configOf()).sort())
  })

  it('are all in the reference, with what they ask', () => {
    const text = rulesReference()
    for (const { name, doc } of rules) {
      expect(text).toContain(`| \`${name}\` |`)
      expect(doc.asks.length).toBeGreaterThan(20)
      expect(doc.otherwise).not.toBe('')
    }
    for (const key of AFTERWARDS) expect(text).toContain(`\`${key}\``)
  })
})
