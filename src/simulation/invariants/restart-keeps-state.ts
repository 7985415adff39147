import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  /** called unsafe there: that is no end of the service */
  readonly unsafe: NodeSets
  /** stopped or replaced there */
  readonly over: NodeSets
  readonly started: NodeSets
  readonly violations: Violations
}

export const restartKeepsState = invariant({
  id: 'restart-keeps-state',
  describe:
    'A node that starts again knows what is stopped or replaced there, and what it had started, as before; a power cut may make it forget.',
  match: ['attested', 'revoked', 'superseded', 'run', 'restored'],
  start: ({ nodes }: RunFacts): State => ({
    ...{ unsafe: createNodeSets(nodes), over: createNodeSets(nodes), started: createNodeSets(nodes) },
    violations: createViolations(),
  }),
  capture({ unsafe, over, started, violations }, event) {
    const { node } = event
    switch (event.event) {
      case 'attested':
        if (event.verdict === 'unsafe') unsafe.add(event.service, node)
        break
      case 'revoked':
        if (!unsafe.has(event.service, node)) over.add(event.service, node)
        break
      case 'superseded':
        over.add(event.service, node)
        break
      case 'run':
        if (event.state === 'running') started.add(event.service, node)
        break
      default: {
        if (event.powerCut === true) {
          for (const set of [unsafe, over, started]) set.forget(node)
          break
        }
        const say = (service: number, what: string) =>
          violations.add(`node ${node} no longer knew after ${event.ms} ms that service ${service} ${what}`)
        // what it does not know at all is the business of another invariant
        for (const service of event.services) {
          if (event.over?.includes(service) === false && over.has(service, node)) say(service, 'is over')
          if (event.started?.includes(service) === false && started.has(service, node))
            say(service, 'had started there')
        }
      }
    }
  },
})
