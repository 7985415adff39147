import type { Rule } from '../rule.ts'
import { fail, pass, some } from '../say.ts'

const name = 'network'

/** Egress that the service asks for must be granted. Nothing is known of grants here, so whoever asks is told which host. */
export const network: Rule = {
  name,
  keys: ['NETCAP'],
  cost: 40,
  failing: 'redirect',
  decide(service) {
    if (service.network.length === 0) return [pass(name, 'asks for no network')]
    const message = `asks for ${some(service.network, 4)}, and this node grants no network`
    return [fail(name, message, { field: 'network', must: 'be', value: 'empty' })]
  },
}
