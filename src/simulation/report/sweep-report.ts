import type { TrialResults } from '../experiments/experiment.ts'
import { INTERVAL_METHOD, intervalOf } from '../experiments/student.ts'
import { html, page, tableOf } from './html.ts'
import { leftOut } from './left-out.ts'
import { figureOf, type Picture } from './picture.ts'
import type { Plotter } from './plot.ts'
import { KINDS, RAMP } from './theme.ts'

export type SweepInit = {
  readonly title: string
  /** the key that varies; undefined = variants have no order */
  readonly key: string | undefined
  readonly trials: readonly TrialResults[]
}

const SHOWN: readonly (readonly [metric: string, label: string])[] = [
  ['coverage', 'share of the nodes reached'],
  ['deliveryLatencyP50Ms', 'median latency (ms)'],
  ['deliveryLatencyP99Ms', '99th percentile of latency (ms)'],
  ['hopsMean', 'hops'],
  ['duplicatesPerNodeAndService', 'duplicates a node and service'],
  ['sentBytesPerNodeMean', 'bytes sent a node'],
  ['sentBytesFairness', "fairness of bytes sent (Jain's index)"],
  ['replicasFinalMean', 'runs a service in the end'],
  ['revocationKnownP99Ms', 'revocation known by 99 % (ms)'],
  ['revokedStillRunning', 'revoked and still running'],
  ['rejectedMessages', 'forged messages that were refused'],
]

type Point = {
  readonly variant: string
  readonly x: number | string
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** All plots of a sweep: latency first. */
export function sweepPictures(plotter: Plotter, { key, trials }: SweepInit): [Picture, ...Picture[]] {
  const variants = [...new Set(trials.map(({ variant }) => variant))]
  const measured = SHOWN.flatMap(([metric, label]) => {
    const of = variants.flatMap((variant) => pointOf(trials, variant, metric, key))
    const moves = new Set(of.map(({ mean }) => mean)).size > 1
    return of.length > 0 && moves ? [intervalPicture(plotter, of, { name: metric, key, label })] : []
  })
  return [latencyPicture(plotter, trials, { variants, colors: colorsOf(variants, key) }), ...measured]
}

/** Runs of several variants beside each other. */
export function sweepReport(plotter: Plotter, init: SweepInit): string {
  const { title, trials } = init
  const variants = [...new Set(trials.map(({ variant }) => variant))]
  const seeds = new Set(trials.map(({ seed }) => seed)).size
  const first = trials[0]?.results
  const [latency, ...measured] = sweepPictures(plotter, init)
  const metrics = [...new Set(trials.flatMap(({ results }) => Object.keys(results.values)))]
  return page(title, [
    html`<h1>${title}</h1>`,
    html`<ul class="facts"><li>${variants.length} variants</li><li>${seeds} ${seeds === 1 ? 'seed' : 'seeds'} each</li><li>${first?.nodes ?? 0} nodes</li><li>engine ${first?.engine ?? ''}, depth: ${first?.depth ?? ''}</li></ul>`,
    html`<p>${seeds > 1 ? `Bars and bands: ${INTERVAL_METHOD}. Nodes of one run depend on each other: they are no sample.` : 'One seed: nothing is known of how much seeds differ, so there are no intervals.'}</p>`,
    html`<h2>Latency</h2>`,
    figureOf(latency),
    html`<h2>Measured</h2><div class="pair">${measured.map(figureOf)}</div>`,
    html`<h2>All values</h2>`,
    tableOf(
      ['metric', ...variants],
      metrics.flatMap((metric) => {
        const cells = variants.map((variant) => intervalText(trials, variant, metric))
        return cells.every((cell) => cell === null) ? [] : [[metric, ...cells]]
      }),
    ),
    html`<h2>What this does not show</h2><p>${first === undefined ? '' : leftOut(first.depth)}</p>`,
  ])
}

function intervalFor(trials: readonly TrialResults[], variant: string, metric: string) {
  const values = trials.flatMap(({ variant: name, results }) => {
    const value = results.values[metric]
    return name === variant && typeof value === 'number' ? [value] : []
  })
  return intervalOf(values)
}

function pointOf(trials: readonly TrialResults[], variant: string, metric: string, key: string | undefined): Point[] {
  const interval = intervalFor(trials, variant, metric)
  if (interval === null) return []
  const { mean, low, high } = interval
  return [{ variant, x: variantValue(variant, key), mean, low: low ?? mean, high: high ?? mean }]
}

function intervalText(trials: readonly TrialResults[], variant: string, metric: string): string | null {
  const interval = intervalFor(trials, variant, metric)
  if (interval === null) return null
  const text = (value: number) => String(Number(value.toPrecision(4)))
  const { mean, low, high } = interval
  return low === null || high === null ? text(mean) : `${text(mean)} [${text(low)}, ${text(high)}]`
}

/** What stands behind `key=`; a number where it is one. */
function variantValue(variant: string, key: string | undefined): number | string {
  const text = key !== undefined && variant.startsWith(`${key}=`) ? variant.slice(key.length + 1) : variant
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function colorsOf(variants: readonly string[], key: string | undefined): string[] {
  const ordered = variants.every((variant) => typeof variantValue(variant, key) === 'number')
  if (!ordered || variants.length > RAMP.length * 4)
    return variants.map((_, index) => KINDS[index % KINDS.length] as string)
  return variants.map((_, index) => mix(variants.length === 1 ? 0 : index / (variants.length - 1)))
}

/** A colour of the ramp, from 0 to 1. */
function mix(share: number): string {
  const place = share * (RAMP.length - 1)
  const [from, to] = [Math.floor(place), Math.ceil(place)].map((index) =>
    Number.parseInt((RAMP[index] as string).slice(1), 16),
  ) as [number, number]
  const part = (shift: number) =>
    Math.round(((from >> shift) & 255) * (1 - (place % 1)) + ((to >> shift) & 255) * (place % 1))
  return `#${[16, 8, 0].map((shift) => part(shift).toString(16).padStart(2, '0')).join('')}`
}

function intervalPicture(
  { Plot, svg }: Plotter,
  points: readonly Point[],
  { name, key, label }: { name: string; key: string | undefined; label: string },
): Picture {
  const numeric = points.every(({ x }) => typeof x === 'number')
  const line = { x: 'x', y: 'mean', stroke: KINDS[0], strokeWidth: 2 }
  return {
    name,
    caption: key === undefined ? label : `${label}, over ${key}`,
    svg: svg({
      ...{ width: 500, height: 280, marginLeft: 60, marginBottom: 44 },
      x: numeric
        ? {
            label: key ?? null,
            grid: false,
            nice: true,
            ticks: Math.min(8, points.length),
            tickFormat: (value: number) => String(value),
          }
        : { label: key ?? null, type: 'point', domain: points.map(({ x }) => x), padding: 0.6 },
      y: {
        grid: true,
        label,
        zero: true,
        tickFormat: (value: number) =>
          Math.abs(value) >= 10_000 ? `${value / 1000}k` : String(Number(value.toPrecision(4))),
      },
      marks: [
        ...(numeric
          ? [
              Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: KINDS[0], fillOpacity: 0.15 }),
              Plot.lineY(points, line),
            ]
          : []),
        Plot.ruleX(points, { x: 'x', y1: 'low', y2: 'high', stroke: KINDS[0], strokeWidth: 1.5 }),
        Plot.dot(points, {
          x: 'x',
          y: 'mean',
          fill: KINDS[0],
          r: 3.5,
          title: ({ variant, mean }: Point) => `${variant}: ${mean}`,
        }),
        Plot.ruleY([0]),
      ],
    }),
  }
}

function latencyPicture(
  { Plot, svg }: Plotter,
  trials: readonly TrialResults[],
  { variants, colors }: { variants: readonly string[]; colors: readonly string[] },
): Picture {
  const rows = trials.flatMap(({ variant, seed, results }) =>
    [[0, 0], ...(results.tables['delivery-latency']?.rows ?? [])].map(([ms, share]) => ({
      variant,
      run: `${variant} ${seed}`,
      ms,
      share,
    })),
  )
  return {
    name: 'delivery-latency',
    caption: 'Nodes that have a service, over the time since its publication: a line for each run.',
    legend: variants.map((variant, index) => [variant, colors[index] as string]),
    svg: svg({
      ...{ width: 1000, height: 380, marginLeft: 48, marginBottom: 44 },
      x: { label: 'ms since the publication', grid: true },
      y: { label: 'share of the nodes', domain: [0, 1], grid: true, tickFormat: '.0%' },
      color: { domain: variants, range: colors },
      marks: [
        Plot.lineY(rows, {
          x: 'ms',
          y: 'share',
          z: 'run',
          stroke: 'variant',
          strokeWidth: 1.6,
          strokeOpacity: 0.75,
          curve: 'step-after',
        }),
      ],
    }),
  }
}
