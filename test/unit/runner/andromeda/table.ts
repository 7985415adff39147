import { describe, expect, it } from 'vitest'
import type { Need, Reason } from '../../../../src/base/verdict.ts'
import { rules } from '../../../../src/runner/andromeda/index.ts'
import type { Rule } from '../../../../src/runner/andromeda/rule.ts'
import type { HubStatement } from '../../../../src/runner/contract.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'

export type Given = {
  readonly settings?: object
  readonly service?: Partial<ReceivedService>
  readonly node?: Partial<RunnerSnapshot>
  readonly message?: string | RegExp
  readonly needs?: readonly [Need['field'], Need['must'], Need['value']]
  /** how many reasons the rule gives; default: any number */
  readonly reasons?: number
}
type Outcome = Reason['outcome']
type Case = Given & { readonly says: string; readonly outcome: Outcome }

/** Rows of a table by their outcome; `given` is what the arguments after the name stand for. */
export function rowsOf<Args extends unknown[]>(given: (...args: Args) => Given) {
  const row =
    (outcome: Outcome) =>
    (says: string, ...args: Args) =>
      ({ says, outcome, ...given(...args) }) as Case
  return { passes: row('pass'), fails: row('fail'), defers: row('defer') }
}
export const { passes, fails, defers } = rowsOf((given: Given = {}) => given)

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
      if (entry.needs !== undefined) {
        const [field, must, value] = entry.needs
        expect(first?.needs).toEqual({ field, must, value })
      }
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

/** Two of the seed's trusted hubs, in their canonical text. */
export const HUB = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'
export const OTHER = '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hopvWJJRSW4qrXTKWFq5ExSpm'
export const HUBS = { [HUB]: { WEIGHT: 3 }, [OTHER]: {} }

/** A hub's word: issued and expiring so many seconds from now. */
export function said(
  hub: string,
  verdict: HubStatement['verdict'],
  issued = -60,
  expires = 3600,
  more: Pick<HubStatement, 'severity' | 'report'> = {},
): HubStatement {
  const { now } = snapshotOf()
  return { hub, verdict, issued: now + issued, expires: now + expires, ...more }
}
