import { formatCount, listing, printable } from '../../base/text.ts'
import type { Change } from '../../node/contract.ts'
import type { Difference, Outcome } from '../../node/policy/compare.ts'
import type { ReplaySummary } from '../../node/policy/tally.ts'
import { table } from '../output.ts'
import { show } from '../text.ts'

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
  return [
    `${howMany(asked, 'service', 'services')}, ${howMany(changed, 'verdict', 'verdicts')} would change.`,
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

/** Services that a node decided again, those that stop first. */
export function changesTable(
  changes: readonly Change[],
  { terminal, heads }: { terminal: boolean; heads: readonly [string, string] },
): string[] {
  if (changes.length === 0) return []
  const { id, address } = show(terminal)
  const sorted = [...changes].sort((a, b) => Number(b.from === 'run') - Number(a.from === 'run'))
  const rows = sorted.map(({ name, from, to, reasons, author, id: whole }) => {
    const why = reasons.find(({ outcome }) => outcome !== 'pass')
    const because = why === undefined ? '' : `${printable(why.rule, 64)}: ${printable(why.message, 160)}`
    return [printable(name, 64), WORDS[from], WORDS[to], address(author), id(whole), because]
  })
  return table(['NAME', ...heads, 'AUTHOR', 'ID', 'BECAUSE'], rows)
}

/** What an operator must know before. */
export function stopsText(changes: readonly Change[]): string {
  const stops = changes.filter(({ from }) => from === 'run').map(({ name }) => `"${printable(name, 64)}"`)
  const starts = changes.filter(({ to }) => to === 'run').map(({ name }) => `"${printable(name, 64)}"`)
  const others = changes.length - stops.length - starts.length
  return [
    stops.length === 0 ? 'Nothing that runs would stop.' : `Would stop: ${listing(stops)}.`,
    ...(starts.length === 0 ? [] : [`Would start: ${listing(starts)}.`]),
    ...(others === 0 ? [] : [`${howMany(others, 'other changes', 'others change')}.`]),
  ].join(' ')
}

export function howMany(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
