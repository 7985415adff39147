import { createPresence, type Presence } from '../observation/presence.ts'
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
  /** nodes that have its code, by service */
  readonly holders: Map<number, Set<number>>
  readonly presence: Presence
  /** an engine that tells of no run at all does not simulate them */
  told: boolean
  /** when something last changed that asks for another decision */
  changedMs: number
  readonly violations: Violations
}

export const replicasExact = invariant({
  id: 'replicas-exact',
  describe:
    'In the end the newest version of a service runs on as many nodes as it asks for, or on all that are willing where those are fewer; no older one runs beside it. Where nodes know of their neighbours alone, more may run that do not all know one another.',
  match: ['published', 'revoked', 'superseded', 'verdict', 'joined', 'restored', ...RUNNING_EVENTS],
  start: (facts): State => ({
    facts,
    running: createRunning(facts),
    live: new Set(),
    newerOf: new Map(),
    willing: new Map(),
    holders: new Map(),
    presence: createPresence(facts),
    told: false,
    changedMs: 0,
    violations: createViolations(),
  }),
  capture(state, event) {
    const { running, live, newerOf, willing, holders, presence } = state
    if (event.event === 'verdict') {
      const nodes = willing.get(event.service) ?? new Set()
      willing.set(event.service, nodes)
      // one that waits as a stand-by is parked
      if (event.verdict === 'run') nodes.add(event.node)
      return
    }
    if (event.event === 'restored') {
      if (event.powerCut === true) for (const nodes of holders.values()) nodes.delete(event.node)
      return
    }
    if (event.event === 'published' || (event.event === 'run' && event.state === 'running')) {
      const nodes = holders.get(event.service) ?? new Set()
      holders.set(event.service, nodes.add(event.node))
    }
    presence.capture(event)
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
  finish(state) {
    const { facts, running, live, newerOf, told, changedMs, violations } = state
    if (!told || changedMs > settledBeforeMs(facts)) return
    for (const service of live) {
      const { replicas, kind, endsMs } = facts.serviceOf(service)
      if (replicas === 0 || kind === 'task' || endsMs < facts.seconds * 1000) continue
      const able = ableTo(state, service)
      const wanted = Math.min(replicas, able.length)
      const count = running.count(service)
      const isTooMany = count > replicas && (facts.runsAreKnown || areNeighbours(facts, service, running))
      if (isTooMany || count < wanted) {
        violations.add(
          `service ${service} runs on ${count} nodes in the end; it asks for ${replicas}, and ${able.length} are willing`,
        )
      }
    }
    for (const [older, newer] of newerOf) {
      // where there is no room beside it, it goes on until there is
      const count = nodesOf(facts, older, running).filter((node) => hasRoom(facts, running, node)).length
      if (count === 0 || running.count(newer) === 0 || facts.serviceOf(older).kind === 'task') continue
      violations.add(
        `service ${older} runs on ${count} nodes in the end, beside its newer version ${newer}, which must take its place`,
      )
    }
  },
})

/**
 * Those that were willing, but for what has changed since: the last place of one may be taken, one that keeps nothing for later
 * does not take over, and nobody may have the code.
 */
function ableTo({ facts, running, willing, holders, presence }: State, service: number): number[] {
  const hasCode = [...(holders.get(service) ?? [])].some(presence.has)
  return [...(willing.get(service) ?? [])].filter(
    (node) =>
      running.has(service, node) || (hasCode && hasRoom(facts, running, node) && facts.limitsOf(node)?.parked !== 0),
  )
}

/** Where a node knows of runs at its neighbours alone, one that is too many is found by those alone that see all the others. */
function areNeighbours(facts: RunFacts, service: number, running: Running): boolean {
  const where = nodesOf(facts, service, running)
  return where.every((node) => {
    const near = new Set(facts.neighboursOf(node))
    return where.every((other) => other === node || near.has(other))
  })
}

function nodesOf({ nodes }: RunFacts, service: number, running: Running): number[] {
  return Array.from({ length: nodes }, (_, node) => node).filter((node) => running.has(service, node))
}

/** for one more */
function hasRoom({ limitsOf }: RunFacts, running: Running, node: number): boolean {
  return running.at(node) < (limitsOf(node)?.runs ?? Number.POSITIVE_INFINITY)
}
