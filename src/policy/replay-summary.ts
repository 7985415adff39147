import type { Verdict } from '../base/verdict.ts'
import type { Difference, Outcome } from './verdict-diff.ts'

/** What a replay comes to. */
export type ReplaySummary = {
  /** services that both were asked about */
  readonly asked: number
  readonly changed: number
  /** how many changed in which way, the most frequent first */
  readonly kinds: readonly {
    readonly from: Outcome
    readonly to: Outcome
    readonly terms?: Difference['terms']
    readonly count: number
  }[]
  /** how many changes each rule is responsible for, together with others or alone */
  readonly rules: readonly { readonly rule: string; readonly count: number }[]
  /** how often the candidate's rules in mode "warn" would have failed */
  readonly warned: readonly { readonly rule: string; readonly count: number }[]
  readonly inForce: Readonly<Record<Outcome, number>>
  readonly candidate: Readonly<Record<Outcome, number>>
}

/** Counts as answers come; its size depends on the rules, not on how many services there were. */
export interface ReplayCounters {
  add(outcomes: { inForce: Outcome; candidate: Outcome }, verdict: Verdict | undefined): void
  change(difference: Difference): void
  summary(): ReplaySummary
}

/** A custom runner may name its rules as it likes: beyond this many, further ones are not counted apart. */
const MAX_RULES = 1000

export function createReplayCounters(): ReplayCounters {
  const counts = { inForce: none(), candidate: none() }
  const kinds = new Map<string, { difference: Difference; count: number }>()
  const rules = new Map<string, number>()
  const warned = new Map<string, number>()
  let asked = 0
  let changed = 0
  return {
    add({ inForce, candidate }, verdict) {
      asked++
      counts.inForce[inForce]++
      counts.candidate[candidate]++
      const warning = (verdict?.reasons ?? []).filter((reason) => reason.warned !== undefined)
      for (const rule of new Set(warning.map((reason) => reason.rule))) count(warned, rule)
    },
    change(difference) {
      changed++
      const key = `${difference.from} ${difference.to} ${difference.terms ?? ''}`
      kinds.set(key, { difference, count: (kinds.get(key)?.count ?? 0) + 1 })
      for (const rule of difference.rules) count(rules, rule)
    },
    summary: () => ({
      asked,
      changed,
      kinds: [...kinds.values()]
        .map(({ difference: { from, to, terms }, count: times }) => ({ from, to, terms, count: times }))
        .sort(byCount),
      rules: ranked(rules),
      warned: ranked(warned),
      ...counts,
    }),
  }
}

function none(): Record<Outcome, number> {
  return { run: 0, parked: 0, redirected: 0, refused: 0, failed: 0 }
}

function count(counts: Map<string, number>, rule: string): void {
  const key = counts.has(rule) || counts.size < MAX_RULES ? rule : 'others'
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function ranked(counts: Map<string, number>): { rule: string; count: number }[] {
  return [...counts].map(([rule, times]) => ({ rule, count: times })).sort(byCount)
}

function byCount(a: { count: number }, b: { count: number }): number {
  return b.count - a.count
}
