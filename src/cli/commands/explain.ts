import { nowSeconds } from '../../base/clock.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Verdict } from '../../base/verdict.ts'
import type { BlockView, Explanation, PastVerdict, ServiceView } from '../../node/types.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command, flag } from '../command.ts'
import { codeLines } from '../output/code-text.ts'
import { commandLine, commandText } from '../output/command-text.ts'
import { parkedText, reasonLines, verdictText } from '../output/format-verdict.ts'
import { table } from '../output/output.ts'
import { clockTime, when } from '../output/text.ts'
import { type Advice, adviceOn } from '../policy/advice.ts'
import { isCurrent } from './list.ts'
import { costText, runText } from './status.ts'

export const explain = command({
  name: 'explain',
  summary: 'Why the node did what it did: each rule, its outcome, and what would change it',
  details: [
    'Shows the current verdict. The publisher receives the same reasons. "warn" marks a rule in warn mode that would have',
    'stopped the service; only the operator sees it.',
  ].join('\n'),
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    now: flag('show what would be decided now, without doing it'),
    history: flag('show earlier verdicts too, each with the policy of its time'),
  },
  async run(cli, { service, now, history }) {
    const client = await nodeClient(cli)
    const explanation = await client.explain(service, { now, history, signal: cli.signal })
    const view = await client.service(explanation.id, cli)
    const last = now ? await client.explain(explanation.id, { signal: cli.signal }) : explanation
    const decided = last.from === 'journal' || view.via !== 'local'
    const { verdict } = explanation
    const typed = (...words: string[]) => commandLine(cli, words)
    const isOpen = isCurrent(view) || isBlocked(view, verdict)
    const advice = decided && verdict.run === false && isOpen ? adviceOn(verdict.reasons, view, typed) : []
    const shown = { ...explanation, advice }
    const status = commandText(cli, ['status', sanitizeText(view.name, 64)])
    const runs = decided && isCurrent(view) && view.run !== undefined
    const blocks = runs ? await client.blocks.list({ signal: cli.signal }) : []
    const kept = blocks.find(({ subject, keepsRuns }) => keepsRuns && [view.author, view.code].includes(subject))
    const asked = { asked: now, decided, status, kept: kept?.kind, seconds: nowSeconds(cli.clock) }
    cli.out.result(shown, () => lines(shown, view, asked))
  },
})

type Asked = {
  /** --now */
  readonly asked: boolean
  /** by the policy: what this node published or SERVICES names is not */
  readonly decided: boolean
  /** the command that shows what other nodes do with it */
  readonly status: string
  /** blocked, and what ran of it goes on */
  readonly kept: BlockView['kind'] | undefined
  readonly seconds: number
}

function lines(explanation: Explanation & { advice: readonly Advice[] }, view: ServiceView, about: Asked): string[] {
  const { asked, decided, kept, seconds } = about
  const { failure, parked, verdict, redirected, from, at, history = [] } = explanation
  const text = verdictText({ ...verdict, redirect: redirected })
  const undecided = `${asked ? '' : 'not decided yet; '}this is what would be decided now`
  return [
    ...(decided
      ? [
          `${text} (${from === 'journal' ? `decided ${when(at, seconds)}` : undecided})`,
          ...afterwards(view, verdict, seconds),
          ...(kept === undefined ? [] : [`You have blocked its ${kept}, and have let this run go on until it ends.`]),
        ]
      : ownLines(explanation, view, about)),
    ...(failure === undefined ? [] : [`The runner failed: ${sanitizeText(failure, 400)}`]),
    ...(parked === undefined
      ? []
      : [
          `${asked ? 'Until the next decision it stays parked:' : 'Parked'} ${when(parked.since, seconds)}, ${parkedText(parked, seconds)}.`,
        ]),
    ...(view.placement === undefined
      ? []
      : [`Replicas wanted: ${view.replicas}; ${sanitizeText(view.placement, 200)}.`]),
    ...codeLines(explanation.code, seconds),
    '',
    ...reasonLines(verdict.reasons),
    ...adviceLines(explanation.advice),
    ...(history.length === 0 ? [] : ['', ...historyLines(history)]),
  ]
}

/** Of a service of this node, about which the policy is not asked. */
function ownLines({ verdict }: Explanation, view: ServiceView, { status, seconds }: Asked): string[] {
  const isHere = view.run !== undefined
  return [
    isHere
      ? `SERVICES in services.json names it: this node ${isCurrent(view) ? 'runs' : 'ran'} it, and no rule decides about it.`
      : 'Published here, not run here: this node runs nothing that is published through it, only what SERVICES in services.json names.',
    ...runLines(view, seconds),
    ...(isCurrent(view) ? [] : [`It has ended: ${whyOver(view)}.`]),
    ...(isHere ? [] : [`Other nodes decide about it themselves: ${status} shows what each of them does.`]),
    '',
    `If another node had published it, this node would decide now: ${verdictText(verdict)}`,
  ]
}

/** What came of the verdict: a service that is over is not run by it any more. */
function afterwards(view: ServiceView, verdict: Verdict, seconds: number): string[] {
  const isOver = !isCurrent(view) && !isBlocked(view, verdict)
  return [
    ...runLines(view, seconds),
    ...(isOver ? [`It is not run any more, whatever the verdict says: ${whyOver(view)}.`] : []),
  ]
}

/** Its run ended for a block, and what is refused for a block is decided again when that ends. */
function isBlocked({ state, stoppedBy, supersededBy }: ServiceView, { reasons }: Verdict): boolean {
  const isOver = (stoppedBy ?? supersededBy) !== undefined
  return state === 'stopped' && !isOver && reasons.some(({ rule, outcome }) => rule === 'block' && outcome === 'fail')
}

function runLines(view: ServiceView, seconds: number): string[] {
  const run = runText(view, seconds)
  if (run === undefined) return []
  const cost = costText(view)
  return [`Its run: ${run}.`, ...(cost === undefined ? [] : [`Its price: ${cost}.`])]
}

function whyOver({ state, stoppedBy, supersededBy }: ServiceView): string {
  if (stoppedBy !== undefined) return 'its author has stopped it'
  if (supersededBy !== undefined) return 'a newer version has replaced it'
  return state === 'expired' ? 'it has expired' : 'it was stopped on this node'
}

function adviceLines(advice: readonly Advice[]): string[] {
  if (advice.length === 0) return []
  return [
    '',
    "What would change it, each in the runner's config.json or as a command:",
    ...advice.flatMap(({ rule, lines }) =>
      lines.map((line, index) => `  ${(index === 0 ? rule : '').padEnd(12)} ${line}`),
    ),
  ]
}

function historyLines(history: readonly PastVerdict[]): string[] {
  const rows = history.map(({ at, policy, verdict, failure }) => {
    const said = verdict === undefined ? `the runner failed: ${sanitizeText(failure ?? '', 200)}` : verdictText(verdict)
    return [clockTime(at * 1000), policy.slice(0, 12), said]
  })
  return table(['DECIDED (UTC)', 'POLICY', 'VERDICT'], rows)
}
