import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  /** by node: the services that it runs */
  readonly running: Map<number, Set<number>>
  readonly violations: Violations
}

export const quotasNeverExceeded = invariant({
  id: 'quotas-never-exceeded',
  describe: "A node never runs more services, and none with more memory in all, than its policy's LIMITS.TOTAL grants.",
  match: ['run', 'left', 'crashed'],
  start: (facts): State => ({ facts, running: new Map(), violations: createViolations() }),
  capture({ facts, running, violations }, event) {
    const { node } = event
    if (event.event !== 'run') {
      // what goes on when it was killed is told again when it is there again
      running.delete(node)
      return
    }
    const services = running.get(node) ?? new Set()
    running.set(node, services)
    if (event.state === 'ended' || event.state === 'failed') services.delete(event.service)
    if (event.state !== 'running' || services.has(event.service)) return
    services.add(event.service)
    const limits = facts.limitsOf(node)
    if (limits === undefined) return
    if (services.size > limits.runs)
      violations.add(`node ${node} runs ${services.size} services at once; its policy grants ${limits.runs}`)
    const bytes = [...services].reduce((sum, service) => sum + facts.serviceOf(service).memoryBytes, 0)
    if (bytes > limits.memoryBytes)
      violations.add(`node ${node} runs services of ${bytes} bytes at once; its policy grants ${limits.memoryBytes}`)
  },
})
