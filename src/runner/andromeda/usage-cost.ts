import type { RunnerConfig } from '../../config/index.ts'
import type { Resources } from '../contract.ts'
import { ceilDivide, formatAmount, parseAmount } from './decimal.ts'
import { isFree, leastReward } from './pricing.ts'

const HOUR_MS = 3_600_000n

export type HeldResources = Pick<Resources, 'memory' | 'cpu'>

/**
 * What PRICING asks for resources that were held for so long, in the asset of the reward: "0.25 KLY", rounded up to the last
 * digit that an amount has. `fromMs`: what it asked until then is not in it, so that the costs of periods add up to that of
 * all. Undefined where PRICING asks nothing, or not in that asset.
 */
export function usageCost(
  { PRICING }: Pick<RunnerConfig, 'PRICING'>,
  asset: string | undefined,
  resources: HeldResources,
  ms: number,
  fromMs = 0,
): string | undefined {
  if (asset === undefined || !Object.hasOwn(PRICING, asset)) return undefined
  const prices = PRICING[asset] as RunnerConfig['PRICING'][string]
  if (isFree(prices)) return undefined
  const perHour = leastReward(resources, prices)
  const until = (time: number) => ceilDivide(perHour * BigInt(Math.round(time)), HOUR_MS)
  return `${formatAmount(until(ms) - until(fromMs))} ${asset}`
}

/** What a reward offers for so long: "0.25 KLY", rounded down to the last digit that an amount has. */
export function rewardFor({ asset, perHour }: { asset: string; perHour: string }, ms: number): string {
  return `${formatAmount(((parseAmount(perHour) ?? 0n) * BigInt(Math.round(ms))) / HOUR_MS)} ${asset}`
}
