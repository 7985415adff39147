import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = {
  readonly facts: RunFacts
  /** when something last changed that asks for another decision */
  changedMs: number
  readonly found: string[]
  readonly violations: Violations
}

export const decisionsAreCurrent = invariant({
  id: 'decisions-are-current',
  describe:
    'In the end each node has decided about all that is live there, and its runner, asked once more, says nothing else.',
  match: [
    ...(['outdated', 'published', 'revoked', 'attested', 'superseded', 'run'] as const),
    ...(['joined', 'left', 'crashed', 'cut', 'healed'] as const),
  ],
  start: (facts): State => ({ facts, changedMs: 0, found: [], violations: createViolations() }),
  capture(state, event) {
    if (event.event !== 'outdated') state.changedMs = event.ms
    else {
      const { node, service, inForce, now } = event
      const is = inForce === 'undecided' ? 'has not decided about' : `has decided "${inForce}" about`
      state.found.push(`node ${node} ${is} service ${service}, and its runner would say "${now}" now`)
    }
  },
  finish({ facts, changedMs, found, violations }) {
    if (changedMs < settledBeforeMs(facts)) for (const sentence of found) violations.add(sentence)
  },
})
