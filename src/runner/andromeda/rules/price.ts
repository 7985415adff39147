import { formatAmount, parseAmount } from '../decimal.ts'
import { leastReward } from '../pricing.ts'
import type { Rule } from '../rule.ts'
import { fail, pass, shown, values } from '../say.ts'

const name = 'price'

/**
 * The reward must be in an asset of PRICING and at least GIB_HOUR x GiB of memory + CORE_HOUR x cores an hour. No
 * PRICING, or one asset in which the service costs nothing, asks for nothing.
 */
export const price: Rule = {
  name,
  keys: ['PRICING'],
  failing: 'redirect',
  doc: {
    asks: '`reward.perHour`, in an asset of `PRICING`, is at least `GIB_HOUR` x GiB of memory + `CORE_HOUR` x cores, counted exactly. `{}` asks nothing, and so does an asset in which the service would cost 0.',
    otherwise: 'not run, and told the price; redirected',
  },
  decide({ reward, resources }, { config: { PRICING } }) {
    const prices = Object.entries(PRICING).map(([asset, prices]) => ({ asset, least: leastReward(resources, prices) }))
    if (prices.length === 0) return [pass(name, 'PRICING is empty: no reward is asked for')]
    if (prices.some(({ least }) => least === 0n)) return [pass(name, 'PRICING asks nothing for what it asks for')]
    const asked = prices.find(({ asset }) => asset === reward?.asset)
    if (reward === undefined || asked === undefined) {
      const value = values(prices.map(({ asset, least }) => `${formatAmount(least)} ${shown(asset)}`))
      const offers = reward === undefined ? 'offers no reward' : `offers a reward in ${shown(reward.asset)}`
      return [fail(name, `${offers}; PRICING asks an hour for ${value}`, { field: 'reward', must: 'one-of', value })]
    }
    const least = formatAmount(asked.least)
    const unit = `${shown(reward.asset)} an hour`
    if ((parseAmount(reward.perHour) ?? 0n) >= asked.least) {
      return [pass(name, `offers ${shown(reward.perHour)} ${unit}, and PRICING asks for ${least}`)]
    }
    const message = `offers ${shown(reward.perHour)} ${unit}, PRICING asks for at least ${least}`
    return [fail(name, message, { field: 'reward.perHour', must: 'at-least', value: least })]
  },
}
