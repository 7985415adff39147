import type { RunFacts } from './observation/types.ts'
import type { Plan } from './plan/plan.ts'

/** What observers may know of a plan. */
export function factsOf({ scenario, groupOf, attackerOf, graph, timeline }: Plan, allEvents: boolean): RunFacts {
  const { nodes, seconds, groups, attackers, churn, crashes } = scenario
  const publications = timeline.filter((action) => action.do === 'publish')
  const byService = new Map(publications.map((action) => [action.service, action]))
  return {
    nodes,
    seconds,
    allEvents,
    changing:
      churn !== undefined ||
      crashes.length > 0 ||
      timeline.some(({ do: what }) => ['leave', 'join', 'cut', 'heal'].includes(what)),
    groupOf: (node) => groups[groupOf[node] ?? 0]?.name ?? '',
    attackerOf: (node) => attackers[(attackerOf[node] ?? 0) - 1]?.kind,
    neighboursOf: (node) => graph.neighbours.subarray(graph.offsets[node], graph.offsets[node + 1]),
    serviceOf(service) {
      const publication = byService.get(service)
      const { kind = 'service', replicas = 0, lifeSeconds = seconds } = publication?.of ?? {}
      return { kind, replicas, endsMs: (publication?.ms ?? 0) + lifeSeconds * 1000 }
    },
  }
}
