import { describe, expect, it } from 'vitest'
import type { Reason } from '../../../../src/base/verdict.ts'
import { rules } from '../../../../src/runner/andromeda/index.ts'
import type { Rule } from '../../../../src/runner/andromeda/rule.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, serviceOf, snapshotOf } from '../support.ts'

export type Case = {
  readonly says: string
  readonly outcome: Reason['outcome']
  readonly settings?: object
  readonly service?: Partial<ReceivedService>
  readonly node?: Partial<RunnerSnapshot>
  readonly message?: string | RegExp
  readonly needs?: Reason['needs']
  /** how many reasons the rule gives; default: any number */
  readonly reasons?: number
}

/** One rule against a table; the first reason is looked at, and every reason is about the rule and says what helps. */
export function table(rule: Rule, cases: readonly Case[]): void {
  describe(rule.name, () => {
    it('is one of the rules', () => expect(rules).toContain(rule))

    it.each(cases.map((entry) => [entry.says, entry] as const))('%s', (_says, entry) => {
      const reasons = rule.decide(serviceOf(entry.service), snapshotOf(configOf(entry.settings), entry.node))
      const [first] = reasons
      expect(first).toMatchObject({ rule: rule.name, outcome: entry.outcome })
      if (typeof entry.message === 'string') expect(first?.message).toBe(entry.message)
      else if (entry.message !== undefined) expect(first?.message).toMatch(entry.message)
      if (entry.needs !== undefined) expect(first?.needs).toEqual(entry.needs)
      if (entry.reasons !== undefined) expect(reasons).toHaveLength(entry.reasons)
      for (const reason of reasons) {
        expect(reason.rule).toBe(rule.name)
        if (reason.outcome !== 'pass' && reason.needs === undefined) expect(reason.message).toMatch(NOTHING_HELPS)
      }
    })
  })
}

/** What a reason says that nothing would have changed. */
export const NOTHING_HELPS = /helps$|nothing (?:that asks for docker )?runs here$/
