import { assertedText } from '../observation/assertions.ts'
import { passed, type Results } from '../output/results.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { barPicture, cdfPicture, timePicture, verdictsPicture } from './charts.ts'
import { type Html, html, numberText, page, tableOf } from './html.ts'
import { leftOut } from './left-out.ts'
import { meshFigure, meshPicture } from './mesh.ts'
import { figureOf, type Picture } from './picture.ts'
import type { Plotter } from './plot.ts'

/** The report of one run. */
export function runReport(plotter: Plotter, { description }: Scenario, results: Results): string {
  const { title, nodes, seconds, seed, engine, depth, tables, complete, notes } = results
  return page(title, [
    html`<h1>${title}</h1>`,
    description === '' ? html`` : html`<p>${description}</p>`,
    html`<ul class="facts"><li>${numberText(nodes)} nodes</li><li>${numberText(seconds)} s of ${engine === 'live' ? 'real' : 'virtual'} time</li><li>seed ${seed}</li><li>engine ${engine}, depth: ${depth}</li><li>${verdictOf(results)}</li></ul>`,
    complete
      ? html``
      : html`<p class="bad">The run was interrupted: all that follows is of what had happened by then.</p>`,
    tiles(results),
    ...checks(results),
    ...(tables['first-service'] === undefined
      ? []
      : [
          html`<h2>The way of the first service</h2>`,
          html`<div class="centred">${meshFigure(plotter, tables['first-service'])}</div>`,
        ]),
    html`<h2>Distributions</h2><div class="pair">${pictures(plotter, results).map(figureOf)}</div>`,
    html`<h2>All values</h2>${tableOf(
      ['metric', 'value'],
      Object.entries(results.values).filter(([, value]) => value !== null),
    )}`,
    html`<h2>What this does not show</h2><p>${leftOut(depth)}</p>${(notes ?? []).map((note) => html`<p>${note}</p>`)}`,
    environment(results),
  ])
}

function verdictOf(results: Results): Html {
  return passed(results)
    ? html`<span class="good">everything asserted holds</span>`
    : html`<span class="bad">not as asserted</span>`
}

const TILES: readonly (readonly [name: string, label: string, show: (value: number) => string])[] = [
  ['coverage', 'of the nodes reached', percent],
  ['deliveryLatencyP50Ms', 'ms until half of the deliveries', numberText],
  ['deliveryLatencyP99Ms', 'ms until 99 % of the deliveries', numberText],
  ['hopsMean', 'hops on average', (value) => value.toFixed(1)],
  ['duplicatesPerNodeAndService', 'duplicates a node and service', (value) => value.toFixed(1)],
  ['sentBytesPerNodeMean', 'bytes sent a node', (value) => numberText(Math.round(value))],
  ['replicasFinalMean', 'runs a service in the end', (value) => numberText(value)],
  ['revocationKnownP99Ms', 'ms until 99 % knew of the revocation', numberText],
]

function tiles({ values }: Results): Html {
  const known = TILES.flatMap(([name, label, show]) => {
    const value = values[name]
    return typeof value === 'number' ? [html`<div class="tile"><b>${show(value)}</b><small>${label}</small></div>`] : []
  })
  return html`<div class="tiles">${known}</div>`
}

function checks({ assertions, violations }: Results): Html[] {
  const broken = Object.entries(violations)
  return [
    ...(assertions.length === 0
      ? []
      : [
          html`<h2>Assertions</h2>`,
          html`<table><tbody>${assertions.map(
            (each) =>
              html`<tr><td class="${each.ok ? 'good' : 'bad'}">${each.ok ? 'holds' : 'does not hold'}</td><td>${assertedText(each)} ${each.op} ${each.value}</td><td class="number">${each.measured === null ? 'not measured' : numberText(each.measured)}</td></tr>`,
          )}</tbody></table>`,
        ]),
    ...(broken.length === 0
      ? [html`<p class="faint">No invariant is broken.</p>`]
      : [
          html`<h2 class="bad">Broken invariants</h2>`,
          tableOf(
            ['invariant', 'what happened'],
            broken.flatMap(([id, sentences]) => sentences.map((words) => [id, words])),
          ),
        ]),
  ]
}

/** All plots of a run, for files of their own. */
export function runPictures(plotter: Plotter, results: Results): Picture[] {
  const mesh = results.tables['first-service']
  return [...(mesh === undefined ? [] : [meshPicture(plotter, mesh)]), ...pictures(plotter, results)]
}

function pictures(plotter: Plotter, { tables }: Results): Picture[] {
  const of = (name: string) => ((tables[name]?.rows.length ?? 0) > 0 ? tables[name] : undefined)
  const [latency, reach, hops, verdicts, copies] = [
    'delivery-latency',
    'depth-reach',
    'hops',
    'verdicts',
    'duplicates-by-depth',
  ].map(of)
  const [replicas, rejected, known, ended] = ['replicas', 'rejected', 'revocation-known', 'revocation-runs-ended'].map(
    of,
  )
  return [
    latency &&
      cdfPicture(plotter, latency, {
        name: 'delivery-latency',
        label: 'ms since the publication',
        caption: 'Nodes that have a service, over the time since its publication.',
      }),
    hops &&
      barPicture(plotter, hops, {
        name: 'hops',
        x: 'hops',
        y: 'deliveries',
        column: 'deliveries',
        caption: 'Links to the publisher, each followed to the node that a first copy came from.',
      }),
    reach &&
      barPicture(plotter, reach, {
        name: 'depth-reach',
        x: 'depth left',
        y: 'nodes a service',
        column: 'nodes_per_service',
        reverse: true,
        caption: 'The best depth that nodes got: those at 0 pass nothing on.',
      }),
    copies &&
      barPicture(plotter, copies, {
        name: 'copies-by-depth',
        x: 'depth',
        y: 'copies a node and service',
        column: 'copies_per_node_and_service',
        reverse: true,
        caption:
          'Copies of each depth that a node received, the first one included. Each depth is a message of its own.',
      }),
    verdicts && verdictsPicture(plotter, verdicts),
    replicas &&
      timePicture(plotter, replicas, {
        name: 'replicas',
        label: 'runs in the mesh',
        caption: 'Runs of all services over time.',
      }),
    rejected &&
      timePicture(plotter, rejected, {
        name: 'rejected',
        label: 'messages a second',
        caption: 'Messages that nodes refused because they were forged or malformed.',
      }),
    known &&
      cdfPicture(plotter, known, {
        name: 'revocation-known',
        label: 'ms since the revocation',
        caption: 'Nodes that know of the revocation, of those that got the service.',
      }),
    ended &&
      cdfPicture(plotter, ended, {
        name: 'revocation-runs-ended',
        label: 'ms since the revocation',
        caption: 'Runs that ended because of it.',
      }),
  ].filter((each) => each !== undefined)
}

function environment({ environment, sha256, events, cost }: Results): Html {
  const rows = [
    ['sha256 of all events', sha256 ?? 'none: interrupted'],
    ['events', events.count ?? 0],
    ['elapsed seconds', cost.elapsedSeconds],
    ...Object.entries(environment),
  ] as [string, string | number | null][]
  return html`<details><summary>What a rerun needs</summary>${tableOf(['', ''], rows)}</details>`
}

function percent(value: number): string {
  return `${(value * 100).toFixed(value > 0.999 && value < 1 ? 2 : 1)} %`
}
