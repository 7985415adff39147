import { formatBytes, formatMs, howMany } from '../../base/format.ts'
import { ratesOf, type UsagePoint } from '../../base/run-usage.ts'
import type { UsageHistoryView } from '../../node/types.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command, optionalDuration, text } from '../command.ts'
import { table } from '../output/output.ts'
import { sparkline } from '../output/sparkline.ts'
import { idFormats } from '../output/text.ts'

/** Of the line that shows how it went. */
const WIDTH = 48

type Measure = { readonly name: string; of(point: UsagePoint): number | undefined; text(value: number): string }

const rate = (value: number) => `${formatBytes(value)}/s`
const MEASURES: readonly Measure[] = [
  { name: 'CPU', of: (point) => ratesOf(point).cpu, text: (value) => `${(value * 100).toFixed(1)}%` },
  { name: 'MEMORY', of: ({ memoryBytes }) => memoryBytes, text: formatBytes },
  { name: 'IN', of: (point) => ratesOf(point).received, text: rate },
  { name: 'OUT', of: (point) => ratesOf(point).sent, text: rate },
  { name: 'DISK', of: ({ diskBytes }) => diskBytes, text: formatBytes },
]

export const usage = command({
  name: 'usage',
  summary: 'How much a run of a service used over time',
  details: [
    'The node measures each run about once a minute. It keeps two hours by the minute, a day by ten minutes and a week by the',
    'hour; of a run that has ended, for a week. CPU is the share of one core. Each line ends with the newest measure; an',
    'empty place: nothing was measured. With --json, the periods themselves, oldest first, with times in ms.',
    'Example: thundercloud usage hello --since 2h',
  ].join('\n'),
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    since: optionalDuration('only the last of it, like 2h'),
    run: text('ID', 'another run than the newest, by its whole id'),
  },
  async run(cli, { service, since, run }) {
    const { out, clock, signal } = cli
    const client = await nodeClient(cli)
    const history = await client.usage(service, { run, signal })
    const from = since === undefined ? 0 : clock.now() - since * 1000
    const shown = { ...history, points: history.points.filter(({ at }) => at >= from) }
    out.result(shown, () => linesOf(shown, idFormats(out.terminal).id))
  },
})

function linesOf({ runId, state, points }: UsageHistoryView, id: (text: string) => string): string[] {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return [`Run ${id(runId)} is ${state}; nothing of it is kept.`]
  const span = formatMs(Math.max(0, last.at - first.at) + first.runningMs)
  const rows = MEASURES.map(({ name, of, text: format }) => {
    const samples = points.map((point) => ({ at: point.at, value: of(point) }))
    const values = samples.flatMap(({ value }) => value ?? [])
    const max = Math.max(0, ...values)
    const newest = values.at(-1)
    return [
      name,
      newest === undefined ? '-' : format(newest),
      newest === undefined ? '-' : format(max),
      sparkline(samples, { width: WIDTH, max }),
    ]
  })
  return [
    `Run ${id(runId)} is ${state}: ${howMany(points.length, 'period', 'periods')} over ${span}.`,
    ...table(['', 'NEWEST', 'MOST', 'OVER TIME'], rows),
  ]
}
