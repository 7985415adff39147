import type { Reason } from '../../../base/verdict.ts'
import { evictionFor, freeResourcesFor } from '../eviction.ts'
import { defer, joinSorted, pass } from '../reasons.ts'
import { RESOURCES } from '../resources.ts'
import type { Rule } from '../rule.ts'

const name = 'capacity'

/**
 * What a service asks for must be free now, of what LIMITS.TOTAL gives away in all. With LIMITS.EVICT, running services
 * that rank lower may end for it; the verdict names them.
 */
export const capacity: Rule = {
  name,
  keys: ['LIMITS'],
  onFail: 'redirect',
  doc: {
    asks: 'What the service asks for is free now, of what `LIMITS.TOTAL` grants; with a swarm, what would run on the machine of the node must fit what it has, too. With `LIMITS.EVICT`, running services that rank strictly lower may end to free capacity, never those of `SERVICES`; the verdict names them.',
    otherwise: 'waits for capacity; redirected',
  },
  decide(service, node) {
    const evicted = evictionFor(service, node)
    if (evicted?.length === 0) return [pass(name, 'what it asks for is free')]
    if (evicted !== undefined) {
      const names = joinSorted(evicted.map((other) => other.name))
      return [pass(name, `it fits once services that rank lower have ended: ${names}`)]
    }
    const free = freeResourcesFor(service, node)
    const reasons: Reason[] = []
    for (const { field, format } of RESOURCES) {
      const [asked, left] = [service.resources[field], Math.max(0, free[field])]
      if (asked <= left) continue
      const message = `asks for ${format(asked)}, and ${format(left)} is free now`
      reasons.push(defer(name, message, { field: `node.free.${field}`, must: 'at-least', value: String(asked) }))
    }
    for (const { field, format } of RESOURCES) {
      const asked = service.resources[field]
      const left = field === 'pids' || free.here === undefined ? asked : Math.max(0, free.here[field])
      if (asked <= left) continue
      const message = `asks for ${format(asked)}, and ${format(left)} is free now on the node's own machine, where it would run: not in the swarm`
      reasons.push(defer(name, message, { field: `node.free.here.${field}`, must: 'at-least', value: String(asked) }))
    }
    if (free.runs < 1) {
      const message = 'as many services run as LIMITS.TOTAL.RUNS allows'
      reasons.push(defer(name, message, { field: 'node.free.runs', must: 'at-least', value: '1' }))
    }
    return reasons
  },
  wakeConditions: () => [{ on: 'capacity' }],
}
