import { totalLimits } from '../admission/facts/capacity.ts'
import { readPolicy } from '../config/index.ts'
import type { RunFacts } from './observation/types.ts'
import type { Plan } from './plan/plan.ts'
import { policyOf } from './plan/policy.ts'
import type { Scenario } from './scenario/scenario.ts'
import type { Engine } from './types.ts'

/** Whom they trust does not matter to what they grant. */
const NOBODY = { authors: [], hubs: [] }

/** What observers may know of a plan. */
export function factsOf(plan: Plan, allEvents: boolean, engine: Engine['name']): RunFacts {
  const { scenario, groupOf, attackerOf, graph, timeline } = plan
  const { nodes, seconds, groups, attackers, churn, crashes } = scenario
  const publications = timeline.filter((action) => action.do === 'publish')
  const byService = new Map(publications.map((action) => [action.service, action]))
  const limits = groups.map((_, group) => limitsOf(scenario, group))
  return {
    nodes,
    seconds,
    allEvents,
    // the model has no rounds of sync
    hasSync: engine !== 'virtual',
    // a whole node without the DHT asks its neighbours alone
    runsAreKnown: engine === 'virtual' || scenario.dht,
    connections: engine !== 'virtual',
    changing:
      churn !== undefined ||
      crashes.length > 0 ||
      timeline.some(({ do: what }) => ['leave', 'join', 'cut', 'heal'].includes(what)),
    groupOf: (node) => groups[groupOf[node] ?? 0]?.name ?? '',
    attackerOf: (node) => attackers[(attackerOf[node] ?? 0) - 1]?.kind,
    neighboursOf: (node) => graph.neighbours.subarray(graph.offsets[node], graph.offsets[node + 1]),
    serviceOf(service) {
      const publication = byService.get(service)
      const { kind = 'service', replicas = 0, lifeSeconds = seconds, memoryBytes = 0 } = publication?.of ?? {}
      return { kind, replicas, endsMs: (publication?.ms ?? 0) + lifeSeconds * 1000, memoryBytes }
    },
    limitsOf: (node) => limits[groupOf[node] ?? 0],
  }
}

function limitsOf(scenario: Scenario, group: number): ReturnType<RunFacts['limitsOf']> {
  if (scenario.groups[group]?.runner !== 'andromeda') return undefined
  const { config } = readPolicy(policyOf(scenario, group, NOBODY)).policy
  const { runs, memoryBytes } = totalLimits(config)
  return { runs, memoryBytes, parked: config.DORMITORY.MAX }
}
