import { jainIndex } from '../observation/samples.ts'
import { metric, type RunFacts } from '../observation/types.ts'

type State = { readonly facts: RunFacts; sent: Float64Array; readonly starts: Float64Array }
type Load = { readonly nodes: number; readonly sent: number; readonly starts: number }

export const loadFairness = metric({
  id: 'load-fairness',
  describe: "Jain's index over the nodes: 1 where all carry the same, 1/n where one node carries everything.",
  match: ['traffic', 'run'],
  start: (facts): State => ({ facts, sent: new Float64Array(0), starts: new Float64Array(facts.nodes) }),
  capture(state, event) {
    if (event.event === 'traffic') state.sent = event.table.sentBytes
    else if (event.state === 'running') state.starts[event.node] = (state.starts[event.node] ?? 0) + 1
  },
  dump({ facts, sent, starts }) {
    const groups = new Map<string, Load>()
    for (let node = 0; node < facts.nodes; node++) {
      const name = facts.groupOf(node)
      const load = groups.get(name) ?? { nodes: 0, sent: 0, starts: 0 }
      groups.set(name, {
        nodes: load.nodes + 1,
        sent: load.sent + (sent[node] ?? 0),
        starts: load.starts + (starts[node] ?? 0),
      })
    }
    return {
      values: { sentBytesFairness: jainIndex(sent), startsFairness: facts.allEvents ? jainIndex(starts) : null },
      tables: {
        'load-by-group': {
          columns: ['group', 'nodes', 'sent_bytes_per_node', 'starts_per_node'],
          rows: [...groups].map(([name, { nodes, sent, starts }]) => [name, nodes, sent / nodes, starts / nodes]),
        },
      },
    }
  },
})
