import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly facts: RunFacts; readonly depths: Map<number, number>; readonly violations: Violations }

export const noForgedOrLateCopy = invariant({
  id: 'no-forged-or-late-copy',
  describe:
    'A node takes in no service that is over by its own time limit, and no copy with more depth than its author signed.',
  match: ['published', 'delivered', 'better'],
  start: (facts): State => ({ facts, depths: new Map(), violations: createViolations() }),
  capture({ facts, depths, violations }, event) {
    const { node, service, depth, ms } = event
    if (event.event === 'published') {
      depths.set(service, depth)
      return
    }
    const { endsMs } = facts.serviceOf(service)
    if (ms > endsMs)
      violations.add(`node ${node} took service ${service} in after ${ms} ms; it was over after ${endsMs} ms`)
    const signed = depths.get(service)
    if (signed !== undefined && depth > signed)
      violations.add(`node ${node} took service ${service} in with depth ${depth}; its author signed ${signed}`)
  },
})
