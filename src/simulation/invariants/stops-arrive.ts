import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type Arrival = { readonly from: number; readonly depth: number }

type State = {
  readonly facts: RunFacts
  /** by service and node */
  readonly arrivals: Map<number, Map<number, Arrival>>
  /** called unsafe there: that is no stop */
  readonly unsafe: NodeSets
  /** nodes that had it early enough to have sent it on */
  readonly known: NodeSets
  readonly heard: NodeSets
  readonly stopped: Set<number>
  /** nodes that were away or cut off at some time */
  readonly unsteady: Set<number>
  readonly violations: Violations
}

export const stopsArrive = invariant({
  id: 'stops-arrive',
  describe:
    'The stop of a service arrives on the way on which the service came, where all nodes of it were always there.',
  match: ['delivered', 'attested', 'revoked', 'left', 'crashed', 'cut'],
  start: (facts): State => ({
    ...{ facts, arrivals: new Map(), unsafe: createNodeSets(facts.nodes), known: createNodeSets(facts.nodes) },
    ...{ heard: createNodeSets(facts.nodes), stopped: new Set(), unsteady: new Set(), violations: createViolations() },
  }),
  capture({ facts, arrivals, unsafe, known, heard, stopped, unsteady }, event) {
    const { node } = event
    const isSettled = event.ms < settledBeforeMs(facts)
    if (event.event === 'delivered') {
      const of = arrivals.get(event.service) ?? new Map<number, Arrival>()
      arrivals.set(event.service, of)
      if (isSettled) of.set(node, event)
    } else if (event.event === 'attested') {
      if (event.verdict === 'unsafe') unsafe.add(event.service, node)
    } else if (event.event === 'revoked') {
      heard.add(event.service, node)
      if (!isSettled || unsafe.has(event.service, node)) return
      stopped.add(event.service)
      known.add(event.service, node)
    } else unsteady.add(node)
  },
  finish({ facts, arrivals, known, heard, stopped, unsteady, violations }) {
    const isSteady = (node: number) => !unsteady.has(node) && facts.attackerOf(node) === undefined
    /** Each node on the way sent on the copy that it got first, and so it does with the stop. */
    const isPlain = (of: ReadonlyMap<number, Arrival>, node: number): boolean => {
      const arrival = of.get(node)
      if (arrival === undefined || !isSteady(node)) return false
      if (arrival.from === node) return true
      const before = of.get(arrival.from)
      const isLess = before !== undefined && (before.from === arrival.from || arrival.depth < before.depth)
      return isLess && isPlain(of, arrival.from)
    }
    for (const service of stopped) {
      const of = arrivals.get(service) ?? new Map<number, Arrival>()
      for (const [node, { from }] of of) {
        if (heard.has(service, node) || !known.has(service, from) || !isPlain(of, node)) continue
        violations.add(`node ${from} knows of the stop of service ${service}, and its neighbour ${node} does not`)
      }
    }
  },
})
