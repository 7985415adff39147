import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  /** called unsafe there: that is no end of the service */
  readonly unsafe: NodeSets
  readonly over: NodeSets
  readonly violations: Violations
}

export const overIsNotDecided = invariant({
  id: 'over-is-not-decided',
  describe:
    'No verdict counts at a node that knows that the service is stopped or replaced; a power cut may make it forget.',
  match: ['attested', 'revoked', 'superseded', 'verdict', 'restored'],
  start: ({ nodes }: RunFacts): State => ({
    ...{ unsafe: createNodeSets(nodes), over: createNodeSets(nodes) },
    violations: createViolations(),
  }),
  capture({ unsafe, over, violations }, event) {
    const { node } = event
    switch (event.event) {
      case 'restored':
        if (event.powerCut === true) for (const set of [unsafe, over]) set.forget(node)
        break
      case 'attested':
        if (event.verdict === 'unsafe') unsafe.add(event.service, node)
        break
      case 'revoked':
        if (!unsafe.has(event.service, node)) over.add(event.service, node)
        break
      case 'superseded':
        over.add(event.service, node)
        break
      default:
        if (over.has(event.service, node))
          violations.add(
            `node ${node} decided "${event.verdict}" about service ${event.service}, which it knew to be over`,
          )
    }
  },
})
