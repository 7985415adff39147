const BARS = '▁▂▃▄▅▆▇█'

export type Sample = { readonly at: number; readonly value: number | undefined }

/**
 * A line of bars over time, as wide as `width` at most. Where a column has several samples it shows the highest; where it has none,
 * nothing was measured: it is empty.
 */
export function sparkline(samples: readonly Sample[], { width, max }: { width: number; max: number }): string {
  const first = samples[0]?.at ?? 0
  const span = Math.max(1, (samples.at(-1)?.at ?? 0) - first)
  const columns = Math.min(width, samples.length)
  const highest: (number | undefined)[] = Array.from({ length: columns })
  for (const { at, value } of samples) {
    // a clock that was set back moves no sample out of the picture
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((at - first) / span) * columns)))
    if (value !== undefined) highest[column] = Math.max(highest[column] ?? 0, value)
  }
  return highest
    .map((value) => (value === undefined ? ' ' : BARS[barOf(max <= 0 ? 0 : value / max)]))
    .join('')
    .trimEnd()
}

function barOf(share: number): number {
  return Math.min(BARS.length - 1, Math.max(0, Math.round(share * (BARS.length - 1))))
}
