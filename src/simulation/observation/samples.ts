import type { Table } from './types.ts'

/** Numbers in the order in which they came, however many. */
export interface Samples {
  add(value: number): void
  readonly count: number
  /** In ascending order. */
  sorted(): Float64Array
}

export function createSamples(): Samples {
  let values = new Float64Array(1024)
  let count = 0
  return {
    add(value) {
      if (count === values.length) {
        const more = new Float64Array(count * 2)
        more.set(values)
        values = more
      }
      values[count++] = value
    },
    get count() {
      return count
    },
    sorted: () => values.slice(0, count).sort(),
  }
}

/** By the nearest rank: a value that was measured. Null of nothing. */
export function quantile(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

export function mean(values: ArrayLike<number>): number | null {
  if (values.length === 0) return null
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] ?? 0
  return sum / values.length
}

/** Points of a cumulative distribution. */
const CDF_POINTS = 200

/** `of`: what all of the samples would be; a share of it is reached. */
export function cdf(sorted: Float64Array, column: string, of: number): Table {
  const rows: number[][] = []
  const step = Math.max(1, sorted.length / CDF_POINTS)
  for (let at = step; at < sorted.length + step; at += step) {
    const rank = Math.min(sorted.length, Math.round(at))
    const value = sorted[rank - 1] ?? 0
    // of equal values the last rank counts
    if (rows.at(-1)?.[0] === value) rows.pop()
    if (rank > 0) rows.push([value, rank / of])
  }
  return { columns: [column, 'share'], rows }
}

/** Jain's index: 1 where all are alike, 1/n where one has everything; null where nobody has anything. */
export function jainIndex(values: ArrayLike<number>): number | null {
  let sum = 0
  let squares = 0
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0
    sum += value
    squares += value * value
  }
  return squares === 0 ? null : (sum * sum) / (values.length * squares)
}
