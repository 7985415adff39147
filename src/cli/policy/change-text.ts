import { formatCount } from '../../base/text.ts'
import type { Difference, Outcome } from '../../node/policy/compare.ts'
import type { ReplaySummary } from '../../node/policy/tally.ts'

const WORDS: Record<Outcome, string> = {
  run: 'run',
  parked: 'parked',
  redirected: 'passed on',
  refused: 'refused',
  failed: 'runner failed',
}

const TERMS: Record<NonNullable<Difference['terms']>, string> = {
  grant: 'with other limits',
  redirect: 'passed on or not',
  conditions: 'for other reasons',
}

export function outcomeText(outcome: Outcome): string {
  return WORDS[outcome]
}

/** What it would be: "refused", or "run, with other limits" where it stays what it was. */
export function becomesText({ to, terms }: Pick<Difference, 'to' | 'terms'>): string {
  return terms === undefined ? WORDS[to] : `${WORDS[to]}, ${TERMS[terms]}`
}

export function summaryLines(summary: ReplaySummary): string[] {
  const { asked, changed, kinds, rules, warned, inForce, candidate } = summary
  const most = kinds.map(({ from, to, terms, count }) => {
    return `  ${`${WORDS[from]} -> ${becomesText({ to, terms })}`.padEnd(36)} ${formatCount(count)}`
  })
  const would = changed === 1 ? 'verdict would change' : 'verdicts would change'
  return [
    `${formatCount(asked)} ${asked === 1 ? 'service' : 'services'}, ${formatCount(changed)} ${would}.`,
    ...most,
    ...(rules.length === 0 ? [] : [`Because of: ${countsText(rules)}`]),
    ...(warned.length === 0 ? [] : [`Rules that only warn would have stopped: ${countsText(warned)}`]),
    `In force:   ${outcomesText(inForce)}`,
    `Candidate:  ${outcomesText(candidate)}`,
  ]
}

function countsText(counts: readonly { rule: string; count: number }[]): string {
  return counts.map(({ rule, count }) => `${rule} ${formatCount(count)}`).join(', ')
}

function outcomesText(counts: Readonly<Record<Outcome, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0) as [Outcome, number][]
  return some.length === 0
    ? 'nothing'
    : some.map(([outcome, count]) => `${WORDS[outcome]} ${formatCount(count)}`).join(', ')
}
