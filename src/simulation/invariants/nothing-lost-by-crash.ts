import { createKnownServices, KNOWN_EVENTS, type KnownServices } from '../observation/known-services.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly known: KnownServices; readonly violations: Violations }

export const nothingLostByCrash = invariant({
  id: 'nothing-lost-by-crash',
  describe:
    'A node that is there again knows the services that it had taken in, but those that ended or were revoked, and what a power cut took from it.',
  match: KNOWN_EVENTS,
  start: (facts: RunFacts): State => ({ known: createKnownServices(facts), violations: createViolations() }),
  capture({ known, violations }, event) {
    const missing = known.capture(event)
    if (event.event !== 'restored' || event.powerCut === true) return
    for (const service of missing) {
      violations.add(`node ${event.node} had taken service ${service} in, and no longer knew it after ${event.ms} ms`)
    }
  },
})
