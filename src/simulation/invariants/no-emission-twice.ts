import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'
import { DEPTHS } from '../tables.ts'

type State = { readonly facts: RunFacts; readonly emitted: NodeSets; readonly violations: Violations }

export const noEmissionTwice = invariant({
  id: 'no-emission-twice',
  describe:
    'A node sends a service on once at each depth, and never with less depth than before; a power cut may make it forget.',
  match: ['emitted', 'restored'],
  start: (facts): State => ({ facts, emitted: createNodeSets(facts.nodes), violations: createViolations() }),
  capture({ facts, emitted, violations }, event) {
    const { node } = event
    if (event.event === 'restored') {
      if (event.powerCut === true) emitted.forget(node)
      return
    }
    const { service, depth } = event
    if (facts.attackerOf(node) !== undefined) return
    const key = (at: number) => service * DEPTHS + at
    for (let at = depth; at < DEPTHS; at++) {
      if (emitted.has(key(at), node)) {
        violations.add(`node ${node} sent service ${service} on with depth ${depth} after it had with depth ${at}`)
        return
      }
    }
    emitted.add(key(depth), node)
  },
})
