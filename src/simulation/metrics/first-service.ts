import { DISPOSITIONS } from '../events.ts'
import { metric, type RunFacts } from '../observation/types.ts'
import { NONE, type SpreadTable } from '../tables.ts'

type State = { readonly facts: RunFacts; table: SpreadTable | undefined }

/** A picture of more nodes shows nothing. */
const MAX_NODES = 5000

export const firstService = metric({
  id: 'first-service',
  describe: 'Where and when the first service arrived, node by node, for meshes of up to 5,000 nodes.',
  match: ['spread'],
  start: (facts): State => ({ facts, table: undefined }),
  capture(state, { table }) {
    if (state.facts.nodes <= MAX_NODES && (state.table === undefined || table.service < state.table.service)) {
      state.table = table
    }
  },
  dump({ facts, table }) {
    if (table === undefined) return { values: {} }
    const rows = Array.from(table.deliveredMs, (ms, node) => {
      const arrived = !Number.isNaN(ms)
      return [
        node,
        facts.groupOf(node),
        arrived ? ms - table.publishedMs : null,
        arrived ? (table.bestDepth[node] ?? null) : null,
        arrived ? (table.hops[node] ?? null) : null,
        arrived ? (table.from[node] ?? null) : null,
        table.disposition[node] === NONE ? null : (DISPOSITIONS[table.disposition[node] ?? NONE] ?? null),
      ]
    })
    const columns = ['node', 'group', 'arrival_ms', 'best_depth', 'hops', 'from', 'verdict']
    return { values: {}, tables: { 'first-service': { columns, rows } } }
  },
})
