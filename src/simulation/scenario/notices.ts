import { howMany } from '../../base/format.ts'
import type { Plan } from '../plan/plan.ts'
import type { Engine } from '../types.ts'
import { publishedBy } from './contradictions.ts'

/** What people should know of a run before it begins: one sentence each. */
export function noticesOf({ scenario, graph, timeline }: Plan, engine: Engine['name']): readonly string[] {
  const { instructions, nodes, seconds, dht } = scenario
  const wanted = instructions.reduce((sum, one) => sum + publishedBy(one), 0)
  const published = timeline.filter((action) => action.do === 'publish').length
  const notices: string[] = []
  if (published < wanted) {
    const left = howMany(wanted - published, 'service is', 'services are')
    notices.push(`${left} not published, of ${wanted}: the scenario ends before, after ${seconds} s.`)
  }
  const allAreNeighbours = graph.offsets.every((offset, node) => offset === node * (nodes - 1))
  if (engine === 'simulated' && !dht && published > 0 && !allAreNeighbours) {
    notices.push(
      'Nodes ask their neighbours alone who runs a service, so more of them may start it than "replicas" says; "dht": true finds all.',
    )
  }
  return notices
}
