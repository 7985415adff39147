/** Named beside every interval. */
export const INTERVAL_METHOD = "two-sided 95 % interval of the mean over the seeds, by Student's t distribution"
export const PAIRED_METHOD =
  "two-sided 95 % interval of the mean of the differences between runs with the same seed, by Student's t distribution"

/** Its 0.975 quantiles for 1, 2, ... degrees of freedom; then for those of BEYOND. */
const T = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
]
/** A smaller number of degrees gives the wider interval. */
const BEYOND: readonly (readonly [degrees: number, t: number])[] = [
  [1000, 1.9623],
  [120, 1.9799],
  [60, 2.0003],
  [40, 2.0211],
  [30, 2.0423],
]

export type Interval = {
  readonly mean: number
  /** null of one seed: nothing is known of how much seeds differ */
  readonly low: number | null
  readonly high: number | null
  readonly seeds: number
}

/** Of one number for each seed. Null of none. */
export function intervalOf(values: readonly number[]): Interval | null {
  const { length } = values
  if (length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / length
  if (length === 1) return { mean, low: null, high: null, seeds: 1 }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1)
  const half = quantile(length - 1) * Math.sqrt(variance / length)
  return { mean, low: mean - half, high: mean + half, seeds: length }
}

function quantile(degrees: number): number {
  return T[degrees - 1] ?? BEYOND.find(([least]) => degrees >= least)?.[1] ?? 2.0423
}
