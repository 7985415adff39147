import type { Reason } from '../../../base/verdict.ts'
import type { Rule } from '../rule.ts'
import { fail, pass, some } from '../say.ts'

const name = 'unproven'

/**
 * What the operator demands and nothing here can show, decides as if nothing were known: frozen amounts (MIN_FREEZE
 * above 0 on a chain that the service names) and lowest prices (PRICING above 0).
 */
export const unproven: Rule = {
  name,
  keys: ['PREFER_SYMBIOTES', 'PREFER_HOSTCHAINS', 'PRICING'],
  cost: 110,
  failing: 'redirect',
  decide(service, { config: { PREFER_SYMBIOTES, PREFER_HOSTCHAINS, PRICING } }) {
    const reasons: Reason[] = []
    const minimum = { ...PREFER_HOSTCHAINS, ...PREFER_SYMBIOTES }
    const named = new Set([...service.hostchains, ...service.symbiotes])
    const chains = [...named].filter((chain) => Object.hasOwn(minimum, chain) && positive(minimum[chain]?.MIN_FREEZE))
    for (const chain of chains.sort().slice(0, 4)) {
      const value = minimum[chain]?.MIN_FREEZE as string
      const message = `MIN_FREEZE on ${some([chain])} is ${value}, and nothing is known of what the author has frozen there`
      reasons.push(fail(name, message, { field: 'frozen', must: 'at-least', value: `${value} on ${some([chain])}` }))
    }
    const priced = Object.entries(PRICING).filter(
      ([, { GIB_HOUR, CORE_HOUR }]) => positive(GIB_HOUR) || positive(CORE_HOUR),
    )
    if (priced.length > 0) {
      const assets = some(priced.map(([asset]) => asset))
      reasons.push(
        fail(name, `PRICING asks for a reward in ${assets}; this runner can not weigh rewards, so none helps`),
      )
    }
    return reasons.length > 0 ? reasons : [pass(name, 'nothing is demanded that would have to be shown')]
  },
}

function positive(amount: string | undefined): boolean {
  return amount !== undefined && /[1-9]/.test(amount)
}
