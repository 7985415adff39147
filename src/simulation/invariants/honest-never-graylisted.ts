import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly facts: RunFacts; readonly violations: Violations }

export const honestNeverGraylisted = invariant({
  id: 'honest-never-graylisted',
  describe: 'No honest node graylists another honest one.',
  match: ['graylisted'],
  start: (facts): State => ({ facts, violations: createViolations() }),
  capture({ facts, violations }, { node, peer }) {
    if (facts.attackerOf(node) !== undefined || facts.attackerOf(peer) !== undefined) return
    violations.add(`node ${node} graylisted node ${peer}, which keeps the rules`)
  },
})
