import type { RunnerConfig } from '../../../config/index.ts'
import { formatAmount, parseAmount } from '../decimal.ts'
import { isFree, leastReward } from '../pricing.ts'
import { fail, joinWhole, pass, safeText } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'price'

/**
 * The reward must be in an asset of PRICING and at least GIB_HOUR x GiB of memory + CORE_HOUR x cores an hour. No
 * PRICING, or one asset in which the service costs nothing, asks for nothing.
 */
export const price: Rule = {
  name,
  keys: ['PRICING'],
  onFail: 'redirect',
  doc: {
    asks: '`reward.perHour`, in an asset of `PRICING`, is at least `GIB_HOUR` x GiB of memory + `CORE_HOUR` x cores, counted exactly. `{}` asks nothing, and so does an asset in which the service would cost 0.',
    otherwise: 'not run, the reason names the price; redirected',
  },
  decide({ reward, resources }, { config: { PRICING } }) {
    const assets = Object.keys(PRICING)
    if (assets.length === 0) return [pass(name, 'PRICING is empty: no reward is asked for')]
    const least = (asset: string) => leastReward(resources, PRICING[asset] as RunnerConfig['PRICING'][string])
    if (Object.values(PRICING).some(isFree)) return [pass(name, 'PRICING asks nothing for its resources')]
    if (reward === undefined || !Object.hasOwn(PRICING, reward.asset)) {
      const value = joinWhole(assets.map((asset) => `${formatAmount(least(asset))} ${safeText(asset)}`))
      const offers = reward === undefined ? 'offers no reward' : `offers a reward in ${safeText(reward.asset)}`
      return [fail(name, `${offers}; PRICING asks an hour for ${value}`, { field: 'reward', must: 'one-of', value })]
    }
    const asked = least(reward.asset)
    const offers = `offers ${safeText(reward.perHour)} ${safeText(reward.asset)} an hour`
    if ((parseAmount(reward.perHour) ?? 0n) >= asked)
      return [pass(name, `${offers}, PRICING asks for ${formatAmount(asked)}`)]
    const value = formatAmount(asked)
    const needs = { field: 'reward.perHour', must: 'at-least', value } as const
    return [fail(name, `${offers}, PRICING asks for at least ${value}`, needs)]
  },
}
