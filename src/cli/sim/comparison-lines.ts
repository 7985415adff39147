import type { Compared, Comparison, Interval } from '../../simulation/index.ts'
import { table } from '../output/output.ts'
import { numberText } from './format-results.ts'

/** A table of two sides and their difference, and how the intervals came about. */
export function comparisonLines(comparison: Comparison, [a, b]: readonly [string, string]): string[] {
  return [
    ...table(['METRIC', a, b, `${b} - ${a}`, ''], comparison.metrics.map(row)),
    '',
    `${a} and ${b}: ${comparison.method}.`,
    comparison.seeds.length > 1
      ? `${b} - ${a}: ${comparison.pairedMethod} (${comparison.seeds.length} seeds).`
      : 'With one seed in common nothing is known of how much seeds differ: use --seeds 10.',
  ]
}

function row({ metric, a, b, difference }: Compared): string[] {
  const clear = difference?.low != null && difference.high !== null && difference.low * difference.high > 0
  return [metric, intervalText(a), intervalText(b), intervalText(difference), clear ? 'differs' : '']
}

export function intervalText(interval: Interval | null): string {
  if (interval === null) return '-'
  const { mean, low, high } = interval
  return low === null ? numberText(mean) : `${numberText(mean)} [${numberText(low)}, ${numberText(high)}]`
}
