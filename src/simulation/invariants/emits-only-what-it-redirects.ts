import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  /** its publisher, or a node whose verdict was to redirect it */
  readonly may: NodeSets
  readonly violations: Violations
}

export const emitsOnlyWhatItRedirects = invariant({
  id: 'emits-only-what-it-redirects',
  describe: 'A node sends on what its policy redirects, and nothing else, but for what it published.',
  match: ['published', 'verdict', 'emitted'],
  start: (facts): State => ({ facts, may: createNodeSets(facts.nodes), violations: createViolations() }),
  capture({ facts, may, violations }, event) {
    const { service, node } = event
    if (event.event === 'published') may.add(service, node)
    else if (event.event === 'emitted') {
      if (may.has(service, node) || facts.attackerOf(node) !== undefined) return
      violations.add(`node ${node} sent service ${service} on, which its policy does not redirect`)
    } else if (event.redirect) may.add(service, node)
    else may.delete(service, node)
  },
})
