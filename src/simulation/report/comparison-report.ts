import type { Compared, Comparison } from '../experiments/comparison.ts'
import type { Interval } from '../experiments/student.ts'
import type { Results } from '../output/results.ts'
import { figure, type Html, html, legendOf, numberText, page, tableOf } from './html.ts'
import { leftOut } from './left-out.ts'
import type { Plotter } from './plot.ts'
import { KINDS } from './theme.ts'

export type ComparisonSide = { readonly name: string; readonly runs: readonly Results[] }

/** Two sets of runs beside each other, seed by seed. */
export function comparisonReport(
  plotter: Plotter,
  comparison: Comparison,
  [a, b]: readonly [ComparisonSide, ComparisonSide],
): string {
  const title = `${a.name} and ${b.name}`
  const first = a.runs[0] ?? b.runs[0]
  const measured = comparison.metrics.filter(({ a: left, b: right }) => left !== null && right !== null)
  const shown = measured.filter(({ a: left, b: right }) => left?.mean !== 0 || right?.mean !== 0)
  return page(title, [
    html`<h1>${title}</h1>`,
    html`<ul class="facts">${[a, b].map(({ name, runs }) => html`<li>${name}: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} of ${runs[0]?.title ?? 'nothing'}, ${numberText(runs[0]?.nodes ?? 0)} nodes</li>`)}</ul>`,
    html`<p>${comparison.seeds.length > 1 ? `Differences of ${comparison.seeds.length} seeds. Bars: ${comparison.pairedMethod}. Nodes of one run depend on each other: they are no sample.` : 'One seed in common: nothing is known of how much seeds differ, so there are no intervals.'}</p>`,
    html`<h2>Difference, as a share of ${a.name}</h2>`,
    differenceFigure(plotter, shown, b.name),
    html`<h2>Latency</h2>`,
    latencyFigure(plotter, [a, b]),
    html`<h2>All values</h2>`,
    tableOf(
      ['metric', a.name, b.name, 'difference'],
      comparison.metrics.map(({ metric, a: left, b: right, difference }) => [
        metric,
        ...[left, right, difference].map(intervalText),
      ]),
    ),
    html`<h2>What this does not show</h2><p>${first === undefined ? '' : leftOut(first.depth)}</p>`,
  ])
}

function intervalText(interval: Interval | null): string | null {
  if (interval === null) return null
  const { mean, low, high } = interval
  return low === null || high === null
    ? numberText(mean)
    : `${numberText(mean)} [${numberText(low)}, ${numberText(high)}]`
}

/** Where one side is a hundred times the other, the picture shows no more than this. */
const MOST = 2

function differenceFigure({ Plot, svg }: Plotter, metrics: readonly Compared[], name: string): Html {
  const rows = metrics.flatMap(({ metric, a, difference }) => {
    if (a === null || difference === null || a.mean === 0) return []
    const share = (value: number) => Math.max(-MOST, Math.min(MOST, value / Math.abs(a.mean)))
    const { mean, low, high } = difference
    const ends = [share(low ?? mean), share(high ?? mean)]
    const clear = low !== null && high !== null && low * high > 0
    return [{ metric, mean: share(mean), low: Math.min(...ends), high: Math.max(...ends), clear }]
  })
  const color = ({ clear }: { clear: boolean }) => (clear ? KINDS[1] : KINDS[7])
  return figure(
    svg({
      ...{ width: 1000, height: 60 + 20 * rows.length, marginLeft: 230, marginBottom: 44 },
      x: { label: `${name}, more or less`, grid: true, tickFormat: '+.0%' },
      y: { label: null, domain: rows.map(({ metric }) => metric) },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleY(rows, { y: 'metric', x1: 'low', x2: 'high', stroke: color, strokeWidth: 2 }),
        Plot.dot(rows, { y: 'metric', x: 'mean', fill: color, r: 3.5 }),
      ],
    }),
    `Each metric with its interval; at most ${MOST * 100} % are drawn.`,
    legendOf([
      ['differs', KINDS[1]],
      ['the interval has zero in it, or there is none', KINDS[7]],
    ]),
  )
}

function latencyFigure({ Plot, svg }: Plotter, sides: readonly [ComparisonSide, ComparisonSide]): Html {
  const rows = sides.flatMap(({ runs }, side) =>
    runs.flatMap((results) =>
      [[0, 0], ...(results.tables['delivery-latency']?.rows ?? [])].map(([ms, share]) => ({
        ...{ side, run: `${side} ${results.seed}`, ms, share },
      })),
    ),
  )
  const colors = KINDS.slice(0, 2)
  return figure(
    svg({
      ...{ width: 1000, height: 340, marginLeft: 48, marginBottom: 44 },
      x: { label: 'ms since the publication', grid: true },
      y: { label: 'share of the nodes', domain: [0, 1], grid: true, tickFormat: '.0%' },
      color: { domain: [0, 1], range: colors, type: 'ordinal' },
      marks: [
        Plot.lineY(rows, { x: 'ms', y: 'share', z: 'run', stroke: 'side', strokeWidth: 1.6, curve: 'step-after' }),
      ],
    }),
    'Nodes that have a service, over the time since its publication: a line for each run.',
    legendOf(sides.map(({ name }, side) => [name, colors[side] as string])),
  )
}
