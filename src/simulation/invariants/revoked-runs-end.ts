import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { createRunning, RUNNING_EVENTS, type Running } from '../observation/running.ts'
import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  readonly running: Running
  /** by service: nodes that have had time to end it */
  readonly known: NodeSets
  readonly services: Set<number>
  readonly violations: Violations
}

export const revokedRunsEnd = invariant({
  id: 'revoked-runs-end',
  describe:
    'In the end a node that knows that a service is stopped or its code unsafe does not run it; a power cut may make it forget.',
  match: ['revoked', 'restored', ...RUNNING_EVENTS],
  start: (facts: RunFacts): State => ({
    ...{ facts, running: createRunning(facts), known: createNodeSets(facts.nodes) },
    ...{ services: new Set(), violations: createViolations() },
  }),
  capture({ facts, running, known, services }, event) {
    const isSettled = event.ms < settledBeforeMs(facts)
    if (event.event === 'revoked') {
      if (!isSettled) return
      known.add(event.service, event.node)
      services.add(event.service)
    } else if (event.event === 'restored') {
      if (event.powerCut === true) known.forget(event.node)
    } else {
      running.capture(event)
      // a node that comes back late takes it up before it ends it
      if (event.event === 'run' && event.state === 'running' && !isSettled) known.delete(event.service, event.node)
    }
  },
  finish({ facts, running, known, services, violations }) {
    for (const service of services) {
      if (running.count(service) === 0) continue
      for (let node = 0; node < facts.nodes; node++) {
        if (running.has(service, node) && known.has(service, node))
          violations.add(`node ${node} runs service ${service} in the end, and knows of its revocation`)
      }
    }
  },
})
