import type { Table } from '../observation/types.ts'
import { figure, type Html, html } from './html.ts'
import type { Picture } from './picture.ts'
import type { Plotter } from './plot.ts'
import { RAMP } from './theme.ts'

type Placed = {
  readonly node: number
  readonly x: number
  readonly y: number
  readonly ms: number | null
  readonly title: string
}
type Link = { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number; readonly ms: number }
type Row = {
  readonly node: number
  readonly group: string
  readonly ms: number | null
  readonly hops: number
  readonly from: number
}

/** The ways of the first copies, from the publisher in the middle outwards: a ring for each hop. */
export function meshFigure(plotter: Plotter, table: Table): Html {
  const { svg, caption, mostMs, missed } = meshPicture(plotter, table)
  const legend = html`<div class="legend"><span>first copy after 0 ms</span><span class="ramp"></span><span>${Math.round(mostMs)} ms</span>${missed === 0 ? [] : [html`<span><i class="ring"></i>not reached (${missed})</span>`]}</div>`
  return figure(svg, caption, legend)
}

export function meshPicture({ Plot, svg }: Plotter, table: Table): Picture & { mostMs: number; missed: number } {
  const rows = rowsOf(table)
  const { placed, links } = place(rows)
  const reached = placed.filter(({ ms }) => ms !== null)
  const most = Math.max(1, ...reached.map(({ ms }) => ms ?? 0))
  const radius = Math.max(1.4, Math.min(6, 90 / Math.sqrt(rows.length)))
  const picture = svg({
    width: 760,
    height: 760,
    margin: 8,
    aspectRatio: 1,
    axis: null,
    color: { type: 'linear', range: [...RAMP], domain: [0, 0.25, 0.5, 0.75, 1].map((share) => share * most) },
    marks: [
      Plot.link(links, {
        x1: 'x1',
        y1: 'y1',
        x2: 'x2',
        y2: 'y2',
        stroke: 'ms',
        strokeOpacity: 0.45,
        strokeWidth: Math.min(1.2, radius / 3),
      }),
      Plot.dot(
        placed.filter(({ ms }) => ms === null),
        { x: 'x', y: 'y', r: radius * 0.8, stroke: 'var(--faint)', strokeWidth: 1, title: 'title' },
      ),
      Plot.dot(reached, { x: 'x', y: 'y', r: (each: Placed) => (each.ms === 0 ? 2 : 1), fill: 'ms', title: 'title' }),
    ],
    r: { type: 'identity' as const, transform: (value: number) => value * radius },
  })
  return {
    name: 'mesh',
    svg: picture,
    caption:
      'The first service. Each line is the way of a first copy, each ring is one hop further from the publisher in the middle.',
    mostMs: most,
    missed: rows.length - reached.length,
  }
}

function rowsOf({ columns, rows }: Table): Row[] {
  const at = (name: string) => columns.indexOf(name)
  return rows.map((cells) => ({
    node: Number(cells[at('node')]),
    group: String(cells[at('group')]),
    ms: cells[at('arrival_ms')] === null ? null : Number(cells[at('arrival_ms')]),
    hops: Number(cells[at('hops')] ?? 0),
    from: Number(cells[at('from')] ?? -1),
  }))
}

/** A node gets as much of the circle as leads on from it. */
function place(rows: readonly Row[]): { placed: Placed[]; links: Link[] } {
  const byNode = new Map(rows.map((row) => [row.node, row]))
  const reached = rows.filter(({ ms }) => ms !== null).sort((a, b) => (a.ms ?? 0) - (b.ms ?? 0))
  const children = new Map<number, Row[]>()
  const roots: Row[] = []
  for (const row of reached) {
    const parent = byNode.get(row.from)
    // an engine that does not know the way draws no line
    if (row.from < 0 || row.from === row.node || parent?.ms == null || parent.ms > (row.ms ?? 0)) roots.push(row)
    else children.set(row.from, [...(children.get(row.from) ?? []), row])
  }
  const sizes = new Map<number, number>()
  const order: Row[] = []
  for (const stack = [...roots]; stack.length > 0; ) {
    const row = stack.pop() as Row
    order.push(row)
    stack.push(...(children.get(row.node) ?? []))
  }
  for (const row of order.toReversed()) {
    sizes.set(
      row.node,
      (children.get(row.node) ?? []).reduce((sum, child) => sum + (sizes.get(child.node) ?? 1), 1),
    )
  }
  const rings = Math.max(1, ...reached.map(({ hops }) => hops))
  const spots = new Map<number, { x: number; y: number }>()
  const links: Link[] = []
  const put = (row: Row, from: number, to: number, depth: number) => {
    const angle = (from + to) / 2
    const spot = { x: Math.cos(angle) * (depth / rings), y: Math.sin(angle) * (depth / rings) }
    spots.set(row.node, spot)
    const parent = spots.get(row.from)
    if (depth > 0 && parent !== undefined)
      links.push({ x1: parent.x, y1: parent.y, x2: spot.x, y2: spot.y, ms: row.ms ?? 0 })
  }
  const spread = (siblings: readonly Row[], begin: number, end: number, depth: number): void => {
    const total = siblings.reduce((sum, row) => sum + (sizes.get(row.node) ?? 1), 0)
    let at = begin
    for (const row of siblings) {
      const width = ((end - begin) * (sizes.get(row.node) ?? 1)) / total
      put(row, at, at + width, depth)
      spread(children.get(row.node) ?? [], at, at + width, depth + 1)
      at += width
    }
  }
  spread(roots, 0, 2 * Math.PI, roots.length > 1 ? 1 : 0)
  const missed = rows.filter(({ ms }) => ms === null)
  for (const [index, row] of missed.entries()) {
    const angle = (2 * Math.PI * index) / missed.length
    const lane = 1.1 + 0.05 * (index % Math.ceil(missed.length / 220))
    spots.set(row.node, { x: Math.cos(angle) * lane, y: Math.sin(angle) * lane })
  }
  const titleOf = ({ node, group, ms, hops }: Row) =>
    `node ${node} (${group}): ${ms === null ? 'not reached' : `after ${Math.round(ms)} ms, ${hops} hops`}`
  const placed = rows.map((row) => ({
    ...(spots.get(row.node) ?? { x: 0, y: 0 }),
    node: row.node,
    ms: row.ms,
    title: titleOf(row),
  }))
  return { placed, links }
}
