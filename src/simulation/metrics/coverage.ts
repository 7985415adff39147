import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { createPresence, PRESENCE_EVENTS, type Presence } from '../observation/presence.ts'
import { mean } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = {
  readonly facts: RunFacts
  readonly presence: Presence
  readonly reached: NodeSets
  readonly services: Set<number>
}

export const coverage = metric({
  id: 'coverage',
  describe:
    'The share of all nodes that a service reached, its publisher included and attackers not: mean and worst over the services, and of the nodes that are there in the end.',
  match: ['spread', ...PRESENCE_EVENTS],
  start: (facts): State => ({
    facts,
    presence: createPresence(facts),
    reached: createNodeSets(facts.nodes),
    services: new Set(),
  }),
  capture({ facts, presence, reached, services }, event) {
    if (event.event !== 'spread') return presence.capture(event)
    const { service, deliveredMs } = event.table
    services.add(service)
    for (let node = 0; node < deliveredMs.length; node++) {
      if (!Number.isNaN(deliveredMs[node]) && facts.attackerOf(node) === undefined) reached.add(service, node)
    }
  },
  dump({ facts, presence, reached, services }) {
    const honest = honestNodes(facts, () => true)
    const shares = [...services].map((service) => reached.size(service) / honest)
    const known = facts.allEvents || !facts.changing
    return {
      values: {
        services: services.size,
        coverage: mean(shares),
        coverageWorst: shares.length === 0 ? null : Math.min(...shares),
        coverageOfPresent: known
          ? mean([...services].map((service) => ofPresent(service, { facts, presence, reached })))
          : null,
      },
    }
  },
})

function ofPresent(
  service: number,
  { facts, presence, reached }: Pick<State, 'facts' | 'presence' | 'reached'>,
): number {
  let have = 0
  for (let node = 0; node < facts.nodes; node++) have += presence.has(node) && reached.has(service, node) ? 1 : 0
  return have / honestNodes(facts, presence.has)
}

/** Where all attack, one is counted: a share is a number. */
function honestNodes({ nodes, attackerOf }: RunFacts, isCounted: (node: number) => boolean): number {
  let count = 0
  for (let node = 0; node < nodes; node++) count += isCounted(node) && attackerOf(node) === undefined ? 1 : 0
  return Math.max(1, count)
}
