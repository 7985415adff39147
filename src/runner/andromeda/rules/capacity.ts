import type { Reason } from '../../../base/verdict.ts'
import type { Capacity, Resources } from '../../contract.ts'
import { RESOURCES } from '../resources.ts'
import type { Rule } from '../rule.ts'
import { defer, pass } from '../say.ts'

const name = 'capacity'

/** What a service asks for must be free now, of what LIMITS.TOTAL gives away in all. */
export const capacity: Rule = {
  name,
  keys: ['LIMITS'],
  cost: 60,
  failing: 'redirect',
  decide({ resources }, node) {
    const free = freeOf(node.capacity)
    const reasons: Reason[] = []
    for (const { field, words } of RESOURCES) {
      const [asked, left] = [resources[field], Math.max(0, free[field])]
      if (asked <= left) continue
      const message = `asks for ${words(asked)}, and ${words(left)} is free now`
      reasons.push(defer(name, message, { field: `node.free.${field}`, must: 'at-least', value: String(asked) }))
    }
    if (node.capacity.runs < 1) {
      const message = 'as many services run as LIMITS.TOTAL.RUNS allows'
      reasons.push(defer(name, message, { field: 'node.free.runs', must: 'at-least', value: '1' }))
    }
    return reasons.length > 0 ? reasons : [pass(name, 'what it asks for is free')]
  },
}

function freeOf({ memoryBytes, cpuMillicores, diskBytes, pids }: Capacity): Resources {
  return { memory: memoryBytes, cpu: cpuMillicores, disk: diskBytes, pids }
}
