import { RUN_RULES } from '../../../protocols/receipt.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { deadline, nowSeconds } from '../../base/clock.ts'
import { NotFoundError, TimeoutError } from '../../base/errors.ts'
import { formatBytes, formatMs, howMany, sanitizeText } from '../../base/format.ts'
import type { RunState } from '../../base/run-record.ts'
import type { ReceiptView, ResultsView, ServiceView } from '../../node/types.ts'
import { receiptView } from '../../services/receipts.ts'
import { keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { lightPeerFor } from '../client/light-peer.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command, flag, text, texts } from '../command.ts'
import { commandText } from '../output/command-text.ts'
import { networkText, parkedText } from '../output/format-verdict.ts'
import { fields } from '../output/output.ts'
import { ago, idFormats, since, when } from '../output/text.ts'
import { usageLines } from '../output/usage-text.ts'
import { receiptLine } from '../publishing/receipt-tracker.ts'

import { stateText } from './list.ts'

/** Nodes that have not answered by then are not waited for. */
const ASK_MS = 10_000

export const status = command({
  name: 'status',
  summary: 'What happens with one service, here and elsewhere',
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    ask: flag('ask other nodes, even if the service was not published here'),
    told: flag('do not ask other nodes: show what they reported before'),
    join: texts('MULTIADDR', 'ask the mesh without a node, through this one; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
  },
  details:
    'If the service was published here, other nodes are asked what they do with it now. A node that does not answer within four seconds is shown with its last report and the time of it.',
  async run(cli, { service, ask, told, join, network, key }) {
    if (join.length > 0) return await askMesh(cli, { service, join, network, key })
    const client = await nodeClient(cli)
    const view = await client.service(service, { signal: cli.signal })
    const asks = ask || (!told && (view.receipts.length > 0 || view.state === 'published'))
    const answers = asks ? await client.ask(view.id, { signal: cli.signal }) : []
    const receipts = withAnswers(view.receipts, answers)
    const results = await resultsOf(cli, client, view)
    cli.out.result({ ...view, receipts, results }, () => lines(cli, view, { receipts, asked: asks, results }))
  },
})

/** What a task left here; undefined where it is no task, left nothing, or is not done here. */
async function resultsOf({ signal }: Cli, client: ApiClient, view: ServiceView): Promise<ResultsView | undefined> {
  if (view.kind !== 'task' || view.run?.state !== 'exited') return undefined
  return await client.results(view.id, { signal }).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error
    return undefined
  })
}

async function askMesh(
  cli: Cli,
  init: { service: string; join: readonly string[]; network: string | undefined; key: string | undefined },
): Promise<void> {
  await using target = await lightPeerFor(cli, init)
  using patience = deadline(cli.clock, ASK_MS, new TimeoutError('the time is up'), cli.signal)
  const receipts: ReceiptView[] = []
  try {
    for await (const receipt of target.peer.ask(target.service, { signal: patience.signal })) {
      if (receipt.body.state !== 'unknown') receipts.push(receiptView(receipt))
    }
  } catch (error) {
    if (!patience.signal.aborted || cli.signal.aborted) throw error
  }
  const { peer } = idFormats(cli.out.terminal)
  cli.out.result({ id: target.service.toString(), receipts }, () => {
    return receipts.length === 0
      ? ['No node that answered knows it.']
      : receipts.map((receipt) => receiptLine(receipt, peer(receipt.peerId)))
  })
}

/** A receipt, and whether its node has just said so. */
type AnsweredReceipt = ReceiptView & { readonly answered: boolean }

function withAnswers(earlier: readonly ReceiptView[], answers: readonly ReceiptView[]): AnsweredReceipt[] {
  const byNode = new Map<string, AnsweredReceipt>(
    earlier.map((receipt) => [receipt.peerId, { ...receipt, answered: false }]),
  )
  for (const answer of answers) {
    const before = byNode.get(answer.peerId)
    if (before !== undefined && before.at > answer.at) byNode.set(answer.peerId, { ...before, answered: true })
    else byNode.set(answer.peerId, { ...answer, reasons: withPrivate(answer, before), answered: true })
  }
  return [...byNode.values()]
}

/** Only receipts bring the last lines of a run, what it has used, and what it left. An answer with the same state is shown with both. */
function withPrivate({ state, reasons }: ReceiptView, before: ReceiptView | undefined): ReceiptView['reasons'] {
  if (before?.state !== state) return reasons
  const own: readonly string[] = [RUN_RULES.output, RUN_RULES.usage, RUN_RULES.outputs]
  return [...reasons, ...before.reasons.filter(({ rule }) => own.includes(rule))]
}

function lines(
  cli: Cli,
  view: ServiceView,
  {
    receipts,
    asked,
    results,
  }: { receipts: readonly AnsweredReceipt[]; asked: boolean; results: ResultsView | undefined },
): string[] {
  const shown = idFormats(cli.out.terminal)
  const now = nowSeconds(cli.clock)
  const ports = view.ports.map(({ name, port, access }) => `${sanitizeText(name)} (${port}, ${access})`).join(', ')
  return [
    ...fields([
      ['service', `${sanitizeText(view.name)} (seq ${view.seq})`],
      ['id', sanitizeText(view.id)],
      ['title', sanitizeText(view.title)],
      ['author', shown.address(view.author)],
      ['code', sanitizeText(view.code)],
      ['state', stateText(view)],
      ['parked', view.parked && `${when(view.parked.since, now)}, ${parkedText(view.parked, now)}`],
      ['run', runText(view, now)],
      ['used', usedText(view.run)],
      ['results', results && resultsText(cli, results, now)],
      ['network', view.run && sanitizeText(networkText(view.run.network), 400)],
      ['ports', ports === '' ? undefined : ports],
      ['replicas', `${view.replicas}${view.placement === undefined ? '' : `: ${sanitizeText(view.placement)}`}`],
      ['received', `${when(view.receivedAt, now)} ${VIA[view.via]}, depth ${view.depth}`],
      ['expires', when(view.expires, now)],
      ['stopped', view.stoppedBy === undefined ? undefined : 'by its author'],
      ['replaced', view.supersededBy === undefined ? undefined : `by ${shown.id(view.supersededBy)}`],
    ]),
    ...(receipts.length === 0 ? [] : ['', 'other nodes:']),
    ...receipts.flatMap((receipt) => {
      const old = receipt.answered ? '' : ` (${asked ? 'does not answer now; ' : ''}reported ${ago(receipt.at, now)})`
      const saying = (wanted: string) => receipt.reasons.filter(({ rule }) => rule === wanted)
      return [
        `  ${receiptLine(receipt, shown.peer(receipt.peerId))}${old}`,
        ...saying(RUN_RULES.usage).flatMap(({ message }) => usageLines(message).map((line) => `    ${line}`)),
        ...saying(RUN_RULES.outputs)
          // what is incomplete is in the line above
          .filter(({ outcome }) => outcome === 'pass')
          .map(({ message }) => `    results: ${sanitizeText(message, 300)}`),
      ]
    }),
  ]
}

/** How it came, after when it came. */
const VIA: Readonly<Record<ServiceView['via'], string>> = {
  gossip: 'by gossip',
  sync: 'by sync',
  api: 'through the API',
  local: 'at this node',
}

/** States of a run that has ended. */
const ENDED: readonly RunState[] = ['exited', 'failed', 'refused', 'stopped']

export function runText({ run, kind }: Pick<ServiceView, 'run' | 'kind'>, now: number): string | undefined {
  if (run === undefined) return undefined
  // of a run that has ended it is not known since when
  const lasts = ENDED.includes(run.state) ? '' : ` for ${since(run.since, now)}`
  const isUnhealthy = run.state === 'running' && kind === 'service' && run.healthy === false
  return `${run.state}${isUnhealthy ? ', but not healthy,' : ''} with ${run.executor}${lasts}${detailOf(run)}`
}

function resultsText(cli: Cli, { code, name, files, bytes, detail, expires }: ResultsView, now: number): string {
  const why = detail === undefined ? '' : `: ${sanitizeText(detail, 300)}`
  if (code === undefined) return `none are kept${why}`
  const fetching = commandText(cli, ['results', sanitizeText(name, 64)])
  return `${howMany(files, 'file', 'files')}, ${formatBytes(bytes)}, which expire ${when(expires, now)}: ${fetching}${why}`
}

function usedText(run: ServiceView['run']): string | undefined {
  if (run?.usage === undefined) return undefined
  const { runningMs, cpuMs, memoryBytes, diskBytes, receivedBytes, sentBytes } = run.usage
  const now = (bytes: number, of: string) => (bytes === 0 ? '' : `, ${formatBytes(bytes)} of ${of} now`)
  const network = `${formatBytes(receivedBytes)} received, ${formatBytes(sentBytes)} sent`
  const held = `${now(memoryBytes, 'memory')}${now(diskBytes, 'disk')}`
  return `${formatMs(cpuMs)} of CPU in ${formatMs(runningMs)}, ${network}${held}`
}

/** What PRICING asks for the time that it ran, beside what its reward offers. */
export function costText({ run }: Pick<ServiceView, 'run'>): string | undefined {
  if (run?.cost === undefined) return undefined
  const { asked, offered } = run.cost
  return `for the time that it ran PRICING asks for ${sanitizeText(asked, 80)}, and its reward offers ${sanitizeText(offered, 80)}`
}

function detailOf({ exitCode, detail, restarts }: NonNullable<ServiceView['run']>): string {
  const code = exitCode === undefined ? '' : `, exit code ${exitCode}`
  const again = restarts === 0 ? '' : `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`
  return `${code}${again}${detail === undefined ? '' : `: ${sanitizeText(detail, 300)}`}`
}
