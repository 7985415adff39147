import type { Results } from '../output/results.ts'
import { INTERVAL_METHOD, type Interval, intervalOf, PAIRED_METHOD } from './student.ts'

export type Compared = {
  readonly metric: string
  readonly a: Interval | null
  readonly b: Interval | null
  /** of b minus a: paired where both have the same seeds; null where a side has none */
  readonly difference: Interval | null
}

export type Comparison = {
  readonly method: string
  readonly pairedMethod: string
  /** seeds that both have */
  readonly seeds: readonly string[]
  readonly metrics: readonly Compared[]
}

/** Compares runs seed by seed. Nodes of one run depend on each other: they are no sample, and only seeds are counted. */
export function compareRuns(a: readonly Results[], b: readonly Results[]): Comparison {
  const bySeed = new Map(b.map((results) => [results.seed, results]))
  const pairs = a.flatMap((results) => {
    const other = bySeed.get(results.seed)
    return other === undefined ? [] : [[results, other] as const]
  })
  const names = [...new Set([...a, ...b].flatMap(({ values }) => Object.keys(values)))]
  return {
    method: INTERVAL_METHOD,
    pairedMethod: PAIRED_METHOD,
    seeds: pairs.map(([{ seed }]) => seed),
    metrics: names.flatMap((metric) => {
      const sides = { a: intervalOf(valuesOf(a, metric)), b: intervalOf(valuesOf(b, metric)) }
      if (sides.a === null && sides.b === null) return []
      const differences = pairs.flatMap(([left, right]) => {
        const [from, to] = [left.values[metric], right.values[metric]]
        return typeof from === 'number' && typeof to === 'number' ? [to - from] : []
      })
      return [{ metric, ...sides, difference: intervalOf(differences) }]
    }),
  }
}

/** One number for each seed that measured it. */
export function valuesOf(runs: readonly Results[], metric: string): number[] {
  return runs.flatMap(({ values }) => (typeof values[metric] === 'number' ? [values[metric]] : []))
}
