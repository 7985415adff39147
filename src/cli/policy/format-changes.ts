import { formatCount, howMany, joinWords, sanitizeText } from '../../base/format.ts'
import type { Change, Disposition, Preview } from '../../node/types.ts'
import type { ReplaySummary } from '../../policy/replay-summary.ts'
import type { Difference, Outcome } from '../../policy/verdict-diff.ts'
import { table } from '../output/output.ts'
import { idFormats } from '../output/text.ts'

const WORDS: Record<Outcome, string> = {
  run: 'run',
  parked: 'parked',
  redirected: 'redirected',
  refused: 'refused',
  failed: 'runner failed',
}

/** Only other nodes know whether a replica is missing. */
const CLAIMS = 'run, or stand by'
const MOVES: Record<NonNullable<Change['moves']>, string> = {
  docker: 'run in Docker',
  host: 'run on the host',
  pool: 'run in a pool',
  swarm: 'run in the Docker Swarm',
}

const TERMS: Record<NonNullable<Difference['terms']>, string> = {
  grant: 'with other limits',
  redirect: 'redirected or not',
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
  {
    terminal,
    heads,
    max = Number.POSITIVE_INFINITY,
  }: { terminal: boolean; heads: readonly [string, string]; max?: number },
): string[] {
  if (changes.length === 0) return []
  const { id, address } = idFormats(terminal)
  const sorted = [...changes].sort((a, b) => weightOf(b) - weightOf(a)).slice(0, max)
  const rows = sorted.map((change) => {
    const { name, from, to, moves, claims, author, id: whole } = change
    return [
      sanitizeText(name, 64),
      WORDS[from],
      moves === undefined ? (claims ? CLAIMS : WORDS[to]) : MOVES[moves],
      address(author),
      id(whole),
      becauseText(change),
    ]
  })
  const more = changes.length - sorted.length
  return [
    ...table(['NAME', ...heads, 'AUTHOR', 'ID', 'BECAUSE'], rows),
    ...(more > 0 ? [`(${formatCount(more)} more)`] : []),
  ]
}

function becauseText({ because, to }: Change): string {
  if (because !== undefined) return `${sanitizeText(because.rule, 64)}: ${sanitizeText(because.message, 160)}`
  return to === 'run' ? 'no rule stops it' : 'the runner gives no reason'
}

/** What an operator looks for: what stops, what starts, what waits. Within each, the node's order is kept, best first. */
function weightOf({ from, to }: Change): number {
  if (from === 'run') return 3
  return to === 'run' ? 2 : Number(to === 'parked')
}

/** Names that a sentence lists, best first; the others are counted. */
const MAX_NAMED = 12

/** What an operator must know before: how many stop, start and wait, and which. */
export function previewText({ changes, more, notAsked, forgotten }: Preview): string[] {
  const to = (disposition: Disposition) =>
    changes.filter((change) => change.to === disposition && change.from !== 'run')
  const runs = changes.filter(({ from }) => from === 'run')
  const [stops, moves] = [runs.filter((one) => one.moves === undefined), runs.filter((one) => one.moves !== undefined)]
  const [begins, parks] = [to('run'), to('parked')]
  const [starts, claims] = [begins.filter((one) => !one.claims), begins.filter((one) => one.claims)]
  const others = changes.length + more - runs.length - begins.length - parks.length
  const nothing = changes.length + more === 0
  return [
    nothing
      ? 'Nothing would change.'
      : [
          stops.length === 0 ? 'Nothing that runs would stop.' : `Would stop: ${namesText(stops)}.`,
          ...(moves.length === 0 ? [] : [`Would end and start again with another executor: ${namesText(moves)}.`]),
          ...(starts.length === 0 ? [] : [`Would start: ${namesText(starts)}.`]),
          ...(claims.length === 0 ? [] : [`Would start, or stand by where nearer nodes run it: ${namesText(claims)}.`]),
          ...(parks.length === 0 ? [] : [`Would be parked: ${namesText(parks)}.`]),
          ...(others === 0 ? [] : [`${howMany(others, 'other changes', 'others change')}.`]),
        ].join(' '),
    ...(notAsked === 0
      ? []
      : [
          `${howMany(notAsked, 'service was', 'services were')} not asked about now: there are too many. They are decided again too.`,
        ]),
    ...forgottenLines(forgotten),
  ]
}

/** What goes on after a policy is in force. */
export function backgroundLines(background: number): string[] {
  if (background === 0) return []
  const what = howMany(background, 'service that does not run is', 'services that do not run are')
  return [`${what} decided again in the background, best first; \`list\` shows what becomes of them.`]
}

function forgottenLines(forgotten: number): string[] {
  if (forgotten === 0) return []
  const what = howMany(forgotten, 'live service was', 'live services were')
  return [
    `Not among them: ${what} forgotten here, because QUOTAS.JOURNAL_MAX_SERVICES allows no more; such a service is known again after its next announcement.`,
  ]
}

function namesText(changes: readonly Change[]): string {
  const names = changes.slice(0, MAX_NAMED).map(({ name }) => `"${sanitizeText(name, 64)}"`)
  const more = changes.length - names.length
  return more === 0
    ? joinWords(names)
    : `${names.join(', ')} and ${formatCount(more)} more (${formatCount(changes.length)} in all)`
}
