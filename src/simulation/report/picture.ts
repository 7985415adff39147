import { escapeHtml, figure, type Html, legendOf, raw } from './html.ts'

/** A plot, for a page or a file of its own. */
export type Picture = {
  /** of its file, without `.svg` */
  readonly name: string
  readonly svg: string
  readonly caption: string
  readonly legend?: Legend | undefined
}
export type Legend = readonly (readonly [label: string, color: string])[]

export function figureOf({ svg, caption, legend }: Picture): Html {
  return figure(svg, caption, legend === undefined ? raw('') : legendOf(legend))
}

const [LINE, MARGIN, SWATCH] = [20, 8, 11]
/** Of a letter, with some air: where a legend's line is full. */
const LETTER = 7
const FONT = 'font-family="system-ui, sans-serif" font-size="12"'

/** A file of its own is seen on paper and on white, and has its legend in it. */
export function svgFile({ svg, caption, legend = [] }: Picture): string {
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)?.map(Number) ?? []
  if (width === undefined || height === undefined) throw new Error('a plot has a viewBox that begins at 0 0')
  const { entries, lines } = placed(legend, width)
  const top = lines * LINE
  const texts = entries.map(
    ([label, color, x, line]) =>
      `<rect x="${x}" y="${line * LINE - top + 3}" width="${SWATCH}" height="${SWATCH}" rx="3" fill="${color}"/>` +
      `<text x="${x + SWATCH + 6}" y="${line * LINE - top + 13}" ${FONT} fill="#444">${escapeHtml(label)}</text>`,
  )
  const body = svg.slice(svg.indexOf('>') + 1)
  const size = `width="${width}" height="${height + top}" viewBox="0 ${-top} ${width} ${height + top}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" class="plot" fill="currentColor" text-anchor="middle" ${FONT} ${size}>
<title>${escapeHtml(caption)}</title>
<rect x="0" y="${-top}" width="${width}" height="${height + top}" fill="#fff"/>
<g text-anchor="start">${texts.join('')}</g>
${small(body)}
`
}

/** A file shows no titles of dots, a tenth of a pixel is not seen, and the style is that of a page. */
function small(body: string): string {
  return body
    .replace(/<style>[^<]*<\/style>\n?/, '')
    .replaceAll(/<title>[^<]*<\/title>/g, '')
    .replaceAll(/<[^>]*>/g, (tag) => tag.replaceAll(/(\d\.\d)\d+/g, '$1'))
    .replaceAll('var(--faint)', '#667080')
    .replaceAll('var(--plot-background)', '#fff')
}

type Placed = readonly [label: string, color: string, x: number, line: number]

function placed(legend: Legend, width: number): { entries: readonly Placed[]; lines: number } {
  let [x, line] = [MARGIN, 0]
  const entries = legend.map(([label, color]): Placed => {
    const space = SWATCH + 6 + label.length * LETTER + 14
    if (x > MARGIN && x + space > width) {
      x = MARGIN
      line++
    }
    const here: Placed = [label, color, x, line]
    x += space
    return here
  })
  return { entries, lines: legend.length === 0 ? 0 : line + 1 }
}
