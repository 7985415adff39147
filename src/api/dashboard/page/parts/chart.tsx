import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'

export type Series = { readonly label: string; readonly values: readonly (number | null)[] }

type Props = {
  /** what it shows, for people who do not see it */
  readonly label: string
  /** seconds since 1970 */
  readonly times: readonly number[]
  readonly series: Series
  readonly height?: number | undefined
  readonly axes?: boolean | undefined
  text(value: number): string
}

/** One line over time. What it shows is also said in words: a picture alone reaches not everybody. */
export function Chart({ label, times, series, height = 140, axes = true, text }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const data = useRef<uPlot.AlignedData>([[], []])
  data.current = [[...times], [...series.values]]

  useEffect(() => {
    const element = box.current
    if (element === null) return
    let gone = false
    let watch: ResizeObserver | undefined
    const darkness = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => plot.current?.redraw()
    import('uplot').then(({ default: Plot }) => {
      if (gone) return
      plot.current = new Plot(optionsOf(element, height, axes, text), data.current, element)
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
  }, [height, axes])

  useEffect(() => {
    plot.current?.setData(data.current)
  }, [times, series])

  const last = series.values.findLast((value) => value !== null)
  return (
    <figure class="chart" role="img" aria-label={`${label}. Now ${last == null ? 'unknown' : text(last)}.`}>
      <div ref={box} style={{ height: `${height}px` }} />
    </figure>
  )
}

/** The picture's code did not arrive: the words beside it still say what it would have shown. */
function noPicture(): void {}

function optionsOf(element: HTMLElement, height: number, axes: boolean, text: Props['text']): uPlot.Options {
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
      { ...axis, show: axes, grid: { show: false }, space: 90 },
      {
        ...axis,
        show: axes,
        size: 72,
        space: 36,
        grid: { stroke: colour('--line'), width: 1 },
        values: (_plot, splits) => splits.map(text),
      },
    ],
    series: [{}, { stroke: colour('--accent'), fill: colour('--accent-soft'), width: 2, points: { show: false } }],
  }
}

/** A colour that depends on the scheme, as the canvas takes it. */
function resolved(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`
  const colour = getComputedStyle(element).color
  element.style.color = ''
  return colour
}
