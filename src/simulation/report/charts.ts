import type { Table } from '../observation/types.ts'
import type { Picture } from './picture.ts'
import type { Plotter } from './plot.ts'
import { KINDS } from './theme.ts'

const [WIDTH, HEIGHT] = [500, 280]
const BLUE = KINDS[0]

type Points = readonly (readonly (number | string | null)[])[]

/** How much of everything is reached by when. The line begins at nothing. */
export function cdfPicture(
  { Plot, svg }: Plotter,
  table: Table,
  { name, label, caption }: { name: string; label: string; caption: string },
): Picture {
  const points: Points = [[0, 0], ...table.rows]
  return {
    name,
    caption,
    svg: svg({
      ...{ width: WIDTH, height: HEIGHT, marginLeft: 48, marginBottom: 44 },
      x: { label, grid: true },
      y: { label: 'share', domain: [0, 1], grid: true, tickFormat: '.0%' },
      marks: [
        Plot.areaY(points, { x: at(0), y: at(1), fill: BLUE, fillOpacity: 0.12, curve: 'step-after' }),
        Plot.lineY(points, { x: at(0), y: at(1), stroke: BLUE, strokeWidth: 2, curve: 'step-after' }),
      ],
    }),
  }
}

export function timePicture(
  { Plot, svg }: Plotter,
  table: Table,
  { name, label, caption }: { name: string; label: string; caption: string },
): Picture {
  return {
    name,
    caption,
    svg: svg({
      ...{ width: WIDTH, height: HEIGHT, marginLeft: 56, marginBottom: 44 },
      x: { label: 'virtual time (s)', grid: true },
      y: { label, grid: true, zero: true },
      marks: [
        Plot.lineY(table.rows, { x: at(0), y: at(1), stroke: BLUE, strokeWidth: 2, curve: 'step-after' }),
        Plot.ruleY([0]),
      ],
    }),
  }
}

/** Bars over whole numbers: hops, depths. */
export function barPicture(
  { Plot, svg }: Plotter,
  table: Table,
  {
    x,
    y,
    column,
    name,
    caption,
    reverse = false,
  }: { name: string; x: string; y: string; column: string; caption: string; reverse?: boolean },
): Picture {
  const index = table.columns.indexOf(column)
  return {
    name,
    caption,
    svg: svg({
      ...{ width: WIDTH, height: HEIGHT, marginLeft: 56, marginBottom: 44 },
      x: { label: x, type: 'band', padding: 0.25, reverse, tickFormat: (value: number) => String(value) },
      y: { label: y, grid: true, tickFormat: shortNumber },
      marks: [Plot.barY(table.rows, { x: at(0), y: at(index), fill: BLUE, rx: 2 }), Plot.ruleY([0])],
    }),
  }
}

const VERDICT_COLORS: Readonly<Record<string, string>> = {
  run: '#2a9d78',
  redirected: '#2f6fde',
  parked: '#f0a030',
  refused: '#c2437f',
}

export function verdictsPicture({ Plot, svg }: Plotter, table: Table): Picture {
  const rows = table.rows.map(([verdict, rule, count]) => ({
    verdict,
    count,
    rule: rule === 'none' ? 'every rule passed' : rule,
  }))
  const rules = new Set(rows.map(({ rule }) => rule))
  return {
    name: 'verdicts',
    caption: 'What the nodes made of the services, by the rule that decided.',
    legend: Object.entries(VERDICT_COLORS).filter(([name]) => rows.some(({ verdict }) => verdict === name)),
    svg: svg({
      ...{ width: WIDTH, height: 80 + 34 * rules.size, marginLeft: 150, marginBottom: 44 },
      x: { label: 'verdicts', grid: true, tickFormat: shortNumber },
      y: { label: null },
      color: { domain: Object.keys(VERDICT_COLORS), range: Object.values(VERDICT_COLORS) },
      marks: [
        Plot.barX(rows, Plot.stackX({ x: 'count', y: 'rule', fill: 'verdict', sort: { y: '-x' }, rx: 2 })),
        Plot.ruleX([0]),
      ],
    }),
  }
}

function at(index: number): (cells: readonly (number | string | null)[]) => number | string | null {
  return (cells) => cells[index] ?? null
}

function shortNumber(value: number): string {
  return Math.abs(value) >= 1000 ? `${Number((value / 1000).toPrecision(4))}k` : String(Number(value.toPrecision(4)))
}
