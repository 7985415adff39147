import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly parked: NodeSets; readonly violations: Violations }

export const parkedDoesNotRun = invariant({
  id: 'parked-does-not-run',
  describe: 'A node does not start what is parked there before it is decided again.',
  match: ['parked', 'woken', 'run', 'crashed', 'left'],
  start: ({ nodes }: RunFacts): State => ({ parked: createNodeSets(nodes), violations: createViolations() }),
  capture({ parked, violations }, event) {
    const { node } = event
    // what it knows then, it decides again
    if (event.event === 'crashed' || event.event === 'left') parked.forget(node)
    else if (event.event === 'parked') parked.add(event.service, node)
    else if (event.event === 'woken') parked.delete(event.service, node)
    else if (event.state === 'running' && parked.has(event.service, node))
      violations.add(`node ${node} started service ${event.service}, which is parked there`)
  },
})
