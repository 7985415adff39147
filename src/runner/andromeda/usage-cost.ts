import type { RunnerConfig } from '../../config/index.ts'
import type { Resources } from '../contract.ts'
import { ceilDivide, formatAmount } from './decimal.ts'
import { isFree, leastReward } from './pricing.ts'

const HOUR_MS = 3_600_000n

/**
 * What PRICING asks for resources that were held for so long, in the asset of the reward: "0.25 KLY", rounded up to the last
 * digit that an amount has. Undefined where PRICING asks nothing, or not in that asset.
 */
export function usageCost(
  { PRICING }: Pick<RunnerConfig, 'PRICING'>,
  asset: string | undefined,
  resources: Pick<Resources, 'memory' | 'cpu'>,
  ms: number,
): string | undefined {
  if (asset === undefined || !Object.hasOwn(PRICING, asset)) return undefined
  const prices = PRICING[asset] as RunnerConfig['PRICING'][string]
  if (isFree(prices)) return undefined
  return `${formatAmount(ceilDivide(leastReward(resources, prices) * BigInt(Math.round(ms)), HOUR_MS))} ${asset}`
}
