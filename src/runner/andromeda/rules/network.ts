import { chooseExecutor } from '../executor.ts'
import { decideNetwork, grantBy } from '../network-grant.ts'
import { fail, joinSorted, MAX_EACH, pass, safeText } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'network'

/** Egress that the service asks for must be covered by NETCAP, and by an executor that can grant it. */
export const network: Rule = {
  name,
  keys: ['NETCAP'],
  onFail: 'redirect',
  doc: {
    asks: 'Every `host:port` that the service asks for is covered by `NETCAP` (`*.example.org:443` covers names below example.org; `PORTS` narrows), and an executor that takes the service can grant it. The grant has what was asked for, and no more; with `MODE` "open" and no `PORTS`, every public name.',
    otherwise: 'not run, the reason names the host; redirected',
  },
  decide(service, node) {
    if (service.network.length === 0) return [pass(name, 'asks for no network')]
    const answer = decideNetwork(service.network, node.config.NETCAP)
    const empty = { field: 'network', must: 'be', value: 'empty' } as const
    if (answer.allowed.length === 0 && node.config.NETCAP.MODE === 'none') {
      return [fail(name, `asks for ${joinSorted(service.network, 4)}, and NETCAP grants no network`, empty)]
    }
    if (answer.refused.length > 0) {
      return answer.refused.slice(0, MAX_EACH).map(({ target, why }) =>
        fail(name, `asks for ${safeText(target)}: ${why}`, {
          field: 'network',
          must: 'be',
          value: `without ${target}`,
        }),
      )
    }
    const hosts = joinSorted(answer.allowed, 4)
    const { executors } = chooseExecutor(service, node)
    if (executors.length > 0 && executors.every((executor) => grantBy(executor, answer) === undefined)) {
      const message = `asks for ${hosts}, which NETCAP allows, and the executors here grant no ${answer.grant.mode === 'open' ? 'open ' : ''}network`
      return [fail(name, message, empty)]
    }
    return [pass(name, `NETCAP allows what it asks for: ${hosts}`)]
  },
}
