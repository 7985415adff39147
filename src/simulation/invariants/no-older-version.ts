import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly older: NodeSets; readonly violations: Violations }

export const noOlderVersion = invariant({
  id: 'no-older-version',
  describe:
    'A node that has a newer version of a service takes no older one in and sends none on; a power cut may make it forget.',
  match: ['superseded', 'delivered', 'emitted', 'restored'],
  start: ({ nodes }: RunFacts): State => ({ older: createNodeSets(nodes), violations: createViolations() }),
  capture({ older, violations }, event) {
    const { node } = event
    if (event.event === 'restored') {
      if (event.powerCut === true) older.forget(node)
      return
    }
    const { service } = event
    if (event.event === 'superseded') older.add(service, node)
    else if (older.has(service, node)) {
      const did = event.event === 'delivered' ? 'took service' : 'sent service'
      violations.add(
        `node ${node} ${did} ${service} ${event.event === 'delivered' ? 'in' : 'on'} after a newer version`,
      )
    }
  },
})
