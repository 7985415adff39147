import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly known: NodeSets; readonly violations: Violations }

export const revokedNeverStarts = invariant({
  id: 'revoked-never-starts',
  describe:
    'A node that knows that a service is stopped or its code unsafe does not start it; a power cut may make it forget.',
  match: ['revoked', 'run', 'restored'],
  start: ({ nodes }: RunFacts): State => ({ known: createNodeSets(nodes), violations: createViolations() }),
  capture({ known, violations }, event) {
    const { node } = event
    if (event.event === 'restored') {
      if (event.powerCut === true) known.forget(node)
      return
    }
    const { service } = event
    if (event.event === 'revoked') known.add(service, node)
    else if (event.state === 'running' && known.has(service, node)) {
      violations.add(`node ${node} started service ${service} after it knew of its revocation`)
    }
  },
})
