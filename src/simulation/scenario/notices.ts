import { howMany } from '../../base/format.ts'
import { isShaped } from '../plan/is-shaped.ts'
import type { Plan } from '../plan/plan.ts'
import type { Engine } from '../types.ts'
import { publishedBy } from './contradictions.ts'

/** What a scenario has that says nothing of it. */
const DEFAULT_VERDICT_MS = 1

/** What people should know of a run before it begins: one sentence each. */
export function noticesOf(plan: Plan, engine: Engine['name']): readonly string[] {
  const { scenario, graph, timeline } = plan
  const { instructions, nodes, seconds, dht } = scenario
  const wanted = instructions.reduce((sum, one) => sum + publishedBy(one), 0)
  const published = timeline.filter((action) => action.do === 'publish').length
  const notices: string[] = []
  if (published < wanted) {
    const left = howMany(wanted - published, 'service is', 'services are')
    notices.push(`${left} not published, of ${wanted}: the scenario ends before, after ${seconds} s.`)
  }
  const allAreNeighbours = graph.offsets.every((offset, node) => offset === node * (nodes - 1))
  if (engine !== 'virtual' && !dht && published > 0 && !allAreNeighbours) {
    notices.push(
      'Nodes ask their neighbours alone who runs a service, so more of them may start it than "replicas" says; "dht": true finds all.',
    )
  }
  if (engine === 'live') notices.push(...ofLive(plan))
  return notices
}

/** What is done to the links, and what is not. */
function ofLive(plan: Plan): string[] {
  const { dht, verdictMs } = plan.scenario
  return [
    isShaped(plan)
      ? 'Latency, jitter, rate, loss and cuts of the links between neighbours are those of the scenario, by a relay on this machine.'
      : 'Neighbours are connected directly over loopback: links have no latency, and their rate is not limited.',
    ...(dht ? ['Connections that nodes make beside their neighbours, to find things in the DHT, are not shaped.'] : []),
    ...(verdictMs.max === DEFAULT_VERDICT_MS
      ? []
      : ['Runners take the time that they take: verdictMs is not applied.']),
  ]
}
