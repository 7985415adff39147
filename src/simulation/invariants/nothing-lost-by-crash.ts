import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  /** what each node has taken in, in order */
  readonly known: Map<number, number[]>
  readonly revoked: NodeSets
  readonly violations: Violations
}

export const nothingLostByCrash = invariant({
  id: 'nothing-lost-by-crash',
  describe: 'A node that is there again knows the services that it had taken in, but those that ended or were revoked.',
  match: ['delivered', 'revoked', 'restored'],
  start: (facts): State => ({
    ...{ facts, known: new Map(), revoked: createNodeSets(facts.nodes), violations: createViolations() },
  }),
  capture({ facts, known, revoked, violations }, event) {
    const { node, ms } = event
    if (event.event === 'revoked') revoked.add(event.service, node)
    else if (event.event === 'delivered') {
      const services = known.get(node)
      if (services === undefined) known.set(node, [event.service])
      else services.push(event.service)
    } else {
      const restored = new Set(event.services)
      for (const service of known.get(node) ?? []) {
        if (restored.has(service) || revoked.has(service, node) || facts.serviceOf(service).endsMs <= ms) continue
        violations.add(`node ${node} had taken service ${service} in, and no longer knew it after ${ms} ms`)
      }
    }
  },
})
