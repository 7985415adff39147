import { metric, type RunFacts } from '../observation/types.ts'
import { NONE } from '../tables.ts'

type State = { readonly facts: RunFacts; services: number; readonly best: number[] }

export const depthReach = metric({
  id: 'depth-reach',
  describe: 'How many nodes a service reached with each depth left: the best depth that they got.',
  match: ['spread'],
  start: (facts): State => ({ facts, services: 0, best: [] }),
  capture(state, { table: { bestDepth } }) {
    state.services++
    for (const depth of bestDepth) if (depth !== NONE) state.best[depth] = (state.best[depth] ?? 0) + 1
  },
  dump({ facts, services, best }) {
    const of = Math.max(1, facts.nodes * services)
    let sum = 0
    const rows = Array.from(best, (count = 0, depth) => [depth, count] as const)
      .reverse()
      .map(([depth, count]) => {
        sum += count
        return [depth, count / Math.max(1, services), sum / of]
      })
    return {
      values: {},
      tables: { 'depth-reach': { columns: ['depth_left', 'nodes_per_service', 'cumulative_share'], rows } },
    }
  },
})
