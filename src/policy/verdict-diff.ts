import { dispositionOf } from '../admission/disposition.ts'
import type { Disposition } from '../admission/views.ts'
import type { Verdict } from '../base/verdict.ts'

/** What a runner made of one service; `failure`: it failed instead of answering. */
export type Answer =
  | { readonly verdict: Verdict; readonly failure?: undefined }
  | { readonly failure: string; readonly verdict?: undefined }

/** What a verdict makes of a service; `failed` where there is none. */
export type Outcome = Disposition | 'failed'

export type Difference = {
  readonly from: Outcome
  readonly to: Outcome
  /** what else changes where the outcome is the same */
  readonly terms?: 'grant' | 'redirect' | 'conditions' | undefined
  /** rules that say something else now, those that decide first */
  readonly rules: readonly string[]
}

export function outcomeOf({ verdict }: Answer): Outcome {
  return verdict === undefined ? 'failed' : dispositionOf(verdict)
}

/** What is different in the second answer; undefined where nothing that matters is. */
export function differenceOf(before: Answer, after: Answer): Difference | undefined {
  const [from, to] = [outcomeOf(before), outcomeOf(after)]
  if (from !== to) return { from, to, rules: changedRules(before, after) }
  if (before.verdict === undefined || after.verdict === undefined) return undefined
  const terms = changedTerms(before.verdict, after.verdict)
  return terms === undefined ? undefined : { from, to, terms, rules: changedRules(before, after) }
}

function changedTerms(before: Verdict, after: Verdict): Difference['terms'] {
  if (before.redirect !== after.redirect) return 'redirect'
  if (!same(before.run, after.run)) return 'grant'
  return same(before.park ?? [], after.park ?? []) ? undefined : 'conditions'
}

/** Rules whose outcome is not what it was, a rule that only one of the two has counting as passed in the other. */
function changedRules(before: Answer, after: Answer): string[] {
  if (before.verdict === undefined || after.verdict === undefined) return ['runner']
  const [was, is] = [obstacles(before.verdict), obstacles(after.verdict)]
  const changed = [...new Set([...is.keys(), ...was.keys()])].filter((rule) => was.get(rule) !== is.get(rule))
  if (changed.length > 0) return changed
  // the same rules fail, with another severity
  return [...is.keys(), ...was.keys()].slice(0, 1)
}

/** What does not pass, by rule, in the order of the reasons; `fail` outweighs `defer`. */
function obstacles({ reasons }: Verdict): Map<string, 'fail' | 'defer'> {
  const found = new Map<string, 'fail' | 'defer'>()
  for (const { rule, outcome } of reasons) {
    if (outcome === 'fail' || (outcome === 'defer' && !found.has(rule))) found.set(rule, outcome)
  }
  return found
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
