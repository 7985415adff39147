import { createKnownServices, KNOWN_EVENTS, type KnownServices } from '../observation/known-services.ts'
import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  readonly known: KnownServices
  /** what a power cut took from each node */
  readonly lost: Map<number, Set<number>>
  readonly emitted: NodeSets
  /** nodes that were away or cut off at some time: they may have missed it, too */
  readonly unsteady: Set<number>
  readonly violations: Violations
}

export const lostArrivesAgain = invariant({
  id: 'lost-arrives-again',
  describe: 'What a power cut took from a node arrives again, where a neighbour that was always there had sent it on.',
  match: [...KNOWN_EVENTS, 'emitted', 'left', 'crashed', 'cut'],
  start: (facts): State => ({
    ...{ facts, known: createKnownServices(facts), lost: new Map(), emitted: createNodeSets(facts.nodes) },
    ...{ unsteady: new Set(), violations: createViolations() },
  }),
  capture({ facts, known, lost, emitted, unsteady }, event) {
    const { node } = event
    switch (event.event) {
      case 'emitted':
        emitted.add(event.service, node)
        break
      case 'delivered':
        lost.get(node)?.delete(event.service)
        known.capture(event)
        break
      case 'revoked':
      case 'superseded':
        known.capture(event)
        break
      case 'restored': {
        const missing = known.capture(event)
        if (event.powerCut === true && event.ms < settledBeforeMs(facts)) lost.set(node, new Set(missing))
        break
      }
      default:
        unsteady.add(node)
        // whether it is there long enough, its next start says
        lost.delete(node)
    }
  },
  finish({ facts, known, lost, emitted, unsteady, violations }) {
    for (const [node, services] of lost) {
      const steady = [...facts.neighboursOf(node)].filter((neighbour) => !unsteady.has(neighbour))
      for (const service of services) {
        if (known.isOver(service, node, facts.seconds * 1000)) continue
        const from = steady.find((neighbour) => emitted.has(service, neighbour))
        if (from === undefined) continue
        violations.add(
          `node ${node} lost service ${service} by a power cut, and its neighbour ${from} did not give it back`,
        )
      }
    }
  },
})
