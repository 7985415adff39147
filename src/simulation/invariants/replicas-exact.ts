import { createRunning, RUNNING_EVENTS, type Running } from '../observation/running.ts'
import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  readonly running: Running
  readonly live: Set<number>
  /** the newer version of each that has one */
  readonly newerOf: Map<number, number>
  /** nodes that would run it, by service */
  readonly willing: Map<number, Set<number>>
  /** an engine that tells of no run at all does not simulate them */
  told: boolean
  /** when something last changed that asks for another decision */
  changedMs: number
  readonly violations: Violations
}

export const replicasExact = invariant({
  id: 'replicas-exact',
  describe:
    'In the end the newest version of a service runs on as many nodes as it asks for, or on all that are willing where those are fewer; no older one runs beside it.',
  match: ['published', 'revoked', 'superseded', 'verdict', 'joined', ...RUNNING_EVENTS],
  start: (facts): State => ({
    facts,
    running: createRunning(facts),
    live: new Set(),
    newerOf: new Map(),
    willing: new Map(),
    told: false,
    changedMs: 0,
    violations: createViolations(),
  }),
  capture(state, event) {
    const { running, live, newerOf, willing } = state
    if (event.event === 'verdict') {
      const nodes = willing.get(event.service) ?? new Set()
      willing.set(event.service, nodes)
      // one that waits as a stand-by is parked
      if (event.verdict === 'run') nodes.add(event.node)
      return
    }
    if (event.event === 'run') state.told = true
    else state.changedMs = event.ms
    if (event.event === 'superseded') newerOf.set(event.service, event.by)
    if (event.event === 'published') live.add(event.service)
    else if (event.event === 'revoked' || event.event === 'superseded') live.delete(event.service)
    else if (event.event !== 'joined') {
      if (event.event !== 'run') for (const nodes of willing.values()) nodes.delete(event.node)
      running.capture(event)
    }
  },
  finish({ facts, running, live, newerOf, willing, told, changedMs, violations }) {
    if (!told || changedMs > settledBeforeMs(facts)) return
    for (const service of live) {
      const { replicas, kind, endsMs } = facts.serviceOf(service)
      if (replicas === 0 || kind === 'task' || endsMs < facts.seconds * 1000) continue
      const wanted = Math.min(replicas, willing.get(service)?.size ?? 0)
      const count = running.count(service)
      if (count > replicas || count < wanted) {
        violations.add(
          `service ${service} runs on ${count} nodes in the end; it asks for ${replicas}, and ${willing.get(service)?.size ?? 0} are willing`,
        )
      }
    }
    for (const [older, newer] of newerOf) {
      const count = running.count(older)
      if (count === 0 || running.count(newer) === 0 || facts.serviceOf(older).kind === 'task') continue
      violations.add(
        `service ${older} runs on ${count} nodes in the end, beside its newer version ${newer}, which must take its place`,
      )
    }
  },
})
