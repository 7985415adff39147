import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly published: Set<number>; readonly delivered: NodeSets; readonly violations: Violations }

export const deliveredOnce = invariant({
  id: 'delivered-once',
  describe:
    'A node takes a service in once, and after it was published: what it had, and no power cut took from it, is a duplicate to the end of its life.',
  match: ['published', 'delivered', 'restored'],
  start: ({ nodes }: RunFacts): State => ({
    published: new Set(),
    delivered: createNodeSets(nodes),
    violations: createViolations(),
  }),
  capture({ published, delivered, violations }, event) {
    const { node } = event
    if (event.event === 'restored') {
      if (event.powerCut === true) delivered.forget(node, (service) => event.services.includes(service))
      return
    }
    const { service } = event
    if (event.event === 'published') published.add(service)
    else if (event.from === node) return
    else if (!published.has(service)) violations.add(`node ${node} got service ${service} before it was published`)
    else if (!delivered.add(service, node)) violations.add(`node ${node} took service ${service} in twice`)
  },
})
