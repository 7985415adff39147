import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'
import { NONE, type SpreadTable } from '../tables.ts'

type State = { readonly facts: RunFacts; readonly violations: Violations }

/** Nodes that keep the depth pass the very copy on: the way is longer than the depth says. */
const KEEPS_DEPTH = 'depth-kept'

export const depthNeverRaised = invariant({
  id: 'depth-never-raised',
  describe:
    'A node sends a service on with less depth than the best copy that it got, and nobody gets more than its sender sent.',
  match: ['spread'],
  start: (facts): State => ({ facts, violations: createViolations() }),
  capture(state, { table }) {
    for (let node = 0; node < state.facts.nodes; node++) {
      if (node !== table.publisher && table.firstDepth[node] !== NONE) check(state, table, node)
    }
  },
})

function check({ facts, violations }: State, table: SpreadTable, node: number): void {
  const at = (values: Uint8Array, index: number) => values[index] ?? NONE
  const [first, best, emitted] = [at(table.firstDepth, node), at(table.bestDepth, node), at(table.emittedDepth, node)]
  const say = (what: string) => violations.add(`service ${table.service} at node ${node}: ${what}`)
  if (best > table.reach || first > best) {
    say(`it got depth ${first}, at best ${best}, but the author signed ${table.reach}`)
  }
  if (emitted !== NONE && emitted >= best && facts.attackerOf(node) === undefined) {
    say(`it got depth ${best} and sent depth ${emitted} on; it must be less`)
  }
  const from = table.from[node] ?? -1
  if (from < 0 || facts.attackerOf(from) === KEEPS_DEPTH) return
  const sent = from === table.publisher ? table.reach : at(table.emittedDepth, from)
  if (sent === NONE || first > sent) {
    say(`it got depth ${first} from node ${from}, which sent ${sent === NONE ? 'nothing' : `at most ${sent}`}`)
  }
}
