import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly facts: RunFacts; readonly started: NodeSets; readonly violations: Violations }

export const noTaskTwice = invariant({
  id: 'no-task-twice',
  describe: 'A node starts a task at most once; a power cut may make it forget.',
  match: ['run', 'restored'],
  start: (facts): State => ({ facts, started: createNodeSets(facts.nodes), violations: createViolations() }),
  capture({ facts, started, violations }, event) {
    const { node } = event
    if (event.event === 'restored') {
      if (event.powerCut === true) started.forget(node)
      return
    }
    const { service, state } = event
    if (state !== 'running' || facts.serviceOf(service).kind !== 'task' || started.add(service, node)) return
    violations.add(`node ${node} started task ${service} twice`)
  },
})
