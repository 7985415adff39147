import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'

export type Series = { readonly label: string; readonly values: readonly (number | null)[] }

type Props = {
  /** what it shows, for people who do not see it */
  readonly label: string
  /** seconds since 1970 */
  readonly times: readonly number[]
  /** the first is the one that is filled, others are dashed */
  readonly series: readonly Series[]
  readonly height?: number | undefined
  readonly axes?: boolean | undefined
  /** its values are bytes: the scale has powers of two */
  readonly bytes?: boolean | undefined
  text(value: number): string
}

/** Lines over time. What it shows is also said in words: a picture alone reaches not everybody. */
export function Chart({ label, times, series, height = 140, axes = true, bytes = false, text }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const data = useRef<uPlot.AlignedData>([[]])
  data.current = [[...times], ...series.map(({ values }) => [...values])]

  useEffect(() => {
    const element = box.current
    if (element === null) return
    let gone = false
    let watch: ResizeObserver | undefined
    const darkness = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => plot.current?.redraw()
    import('uplot').then(({ default: Plot }) => {
      if (gone) return
      plot.current = new Plot(
        optionsOf(element, { height, axes, bytes, text, lines: series.length }),
        data.current,
        element,
      )
      watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }))
      watch.observe(element)
      darkness.addEventListener('change', redraw)
    }, noPicture)
    return () => {
      gone = true
      watch?.disconnect()
      darkness.removeEventListener('change', redraw)
      plot.current?.destroy()
      plot.current = undefined
    }
    // what a plot is made of does not change while it is shown; its data is set below
  }, [height, axes, series.length])

  useEffect(() => {
    plot.current?.setData(data.current)
  }, [times, series])

  const newest = series.map(({ label: name, values }) => {
    const last = values.findLast((value) => value !== null)
    return `${series.length > 1 ? `${name} ` : ''}${last == null ? 'unknown' : text(last)}`
  })
  return (
    <figure class="chart" role="img" aria-label={`${label}. Newest: ${newest.join(', ')}.`}>
      <div ref={box} style={{ height: `${height}px` }} />
    </figure>
  )
}

/** The picture's code did not arrive: the words beside it still say what it would have shown. */
function noPicture(): void {}

type Drawn = { height: number; axes: boolean; bytes: boolean; text: Props['text']; lines: number }

function optionsOf(element: HTMLElement, { height, axes, bytes, text, lines }: Drawn): uPlot.Options {
  const colour = (name: string) => () => resolved(element, name)
  const font = `${parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75}px ${getComputedStyle(element).fontFamily}`
  const axis = { stroke: colour('--text-soft'), font, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: axes ? [8, 8, 0, 0] : [4, 0, 4, 0],
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max * 1.15, 1)] } },
    axes: [
      { ...axis, show: axes, size: 28, grid: { show: false }, space: 90, values: (_plot, splits) => timeTexts(splits) },
      {
        ...axis,
        show: axes,
        size: 72,
        space: 36,
        ...(bytes ? { incrs: POWERS_OF_TWO } : {}),
        grid: { stroke: colour('--line'), width: 1 },
        values: (_plot, splits) => splits.map(text),
      },
    ],
    series: [
      {},
      { stroke: colour('--accent'), fill: colour('--accent-soft'), width: 2, points: { show: false } },
      ...Array.from({ length: lines - 1 }, () => ({
        ...{ stroke: colour('--text-soft'), dash: [5, 4], width: 2, points: { show: false } },
      })),
    ],
  }
}

const POWERS_OF_TWO = Array.from({ length: 50 }, (_, exponent) => 2 ** exponent)
const DAY_SECONDS = 86_400
const HOURS = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DAYS = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** Days where the axis spans some, hours else; as the log says them. */
function timeTexts(seconds: readonly number[]): string[] {
  const isLong = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0) > DAY_SECONDS
  return seconds.map((at) => (isLong ? DAYS : HOURS).format(at * 1000))
}

/** A colour that depends on the scheme, as the canvas takes it. */
function resolved(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`
  const colour = getComputedStyle(element).color
  element.style.color = ''
  return colour
}
