import { metric, type RunFacts } from '../observation/types.ts'

type State = { readonly facts: RunFacts; readonly neighbours: Map<number, ReadonlySet<number>>; count: number }

export const disconnects = metric({
  id: 'disconnects',
  describe: 'How often the connection between two neighbours ended, as each of them noticed.',
  match: ['disconnected'],
  start: (facts): State => ({ facts, neighbours: new Map(), count: 0 }),
  capture(state, { node, peer }) {
    const { facts, neighbours } = state
    const known = neighbours.get(node) ?? new Set(facts.neighboursOf(node))
    neighbours.set(node, known)
    if (known.has(peer)) state.count++
  },
  dump: ({ facts, count }) => ({ values: { disconnects: facts.connections ? count : null } }),
})
