import type { Reason } from '../../../base/verdict.ts'
import { fail, pass } from '../reasons.ts'
import { RESOURCES } from '../resources.ts'
import type { Rule } from '../rule.ts'

const name = 'limits'

/** What a service asks for must be within LIMITS.SERVICE, which is never more than LIMITS.TOTAL. */
export const limits: Rule = {
  name,
  keys: ['LIMITS'],
  onFail: 'redirect',
  doc: {
    asks: 'The service asks for no more memory, cpu, disk and processes than `LIMITS.SERVICE` gives one service. `TIMEOUT` refuses no service: a run ends then.',
    otherwise: 'not run; redirected',
  },
  decide({ resources }, { config: { LIMITS } }) {
    const reasons: Reason[] = []
    for (const { limit, field, format } of RESOURCES) {
      const [asked, most] = [resources[field], LIMITS.SERVICE[limit]]
      if (asked <= most) continue
      const message = `asks for ${format(asked)}, LIMITS.SERVICE.${limit} allows ${format(most)}`
      const nothing = most === 0 && field !== 'disk'
      if (nothing) reasons.push(fail(name, `${message}: every service asks for some, so nothing runs here`))
      else reasons.push(fail(name, message, { field: `resources.${field}`, must: 'at-most', value: String(most) }))
    }
    if (LIMITS.TOTAL.RUNS === 0) reasons.push(fail(name, 'LIMITS.TOTAL.RUNS is 0: nothing runs here'))
    return reasons.length > 0 ? reasons : [pass(name, 'asks for no more than one service gets')]
  },
}
