import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly facts: RunFacts; readonly started: NodeSets; readonly violations: Violations }

export const noTaskTwice = invariant({
  id: 'no-task-twice',
  describe: 'A node starts a task at most once.',
  match: ['run'],
  start: (facts): State => ({ facts, started: createNodeSets(facts.nodes), violations: createViolations() }),
  capture({ facts, started, violations }, { node, service, state }) {
    if (state !== 'running' || facts.serviceOf(service).kind !== 'task' || started.add(service, node)) return
    violations.add(`node ${node} started task ${service} twice`)
  },
})
