import { metric, type RunFacts } from '../observation/types.ts'
import { DEPTHS } from '../tables.ts'

type State = { readonly facts: RunFacts; services: number; readonly duplicates: number[]; readonly copies: number[] }

export const duplicates = metric({
  id: 'duplicates',
  describe:
    'Copies that nodes got of what they had. Each depth is a message of its own, so they are told apart by depth.',
  match: ['spread', 'traffic'],
  start: (facts): State => ({ facts, services: 0, duplicates: [], copies: [] }),
  capture(state, event) {
    if (event.event === 'spread') return void state.services++
    state.duplicates.push(...byDepth(event.table.duplicates))
    state.copies.push(...byDepth(event.table.copies))
  },
  dump({ facts, services, duplicates, copies }) {
    const each = Math.max(1, facts.nodes * services)
    const sum = duplicates.reduce((sum, count) => sum + count, 0)
    return {
      values: { duplicatesPerNodeAndService: duplicates.length === 0 ? null : sum / each },
      tables: {
        'duplicates-by-depth': {
          columns: ['depth', 'copies_per_node_and_service', 'duplicates_per_node_and_service'],
          rows: duplicates.map((count, depth) => [depth, (copies[depth] ?? 0) / each, count / each]),
        },
      },
    }
  },
})

function byDepth(counts: Uint32Array): number[] {
  const sums = new Array<number>(DEPTHS).fill(0)
  for (let at = 0; at < counts.length; at++) sums[at % DEPTHS] = (sums[at % DEPTHS] ?? 0) + (counts[at] ?? 0)
  return sums
}
