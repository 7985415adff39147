import { createPresence, PRESENCE_EVENTS, type Presence } from '../observation/presence.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly presence: Presence; readonly violations: Violations }

export const nothingWhileAway = invariant({
  id: 'nothing-while-away',
  describe: 'A node that left or crashed does nothing until it joins again.',
  match: [...PRESENCE_EVENTS, 'delivered', 'emitted', 'published', 'verdict'],
  start: (facts: RunFacts): State => ({ presence: createPresence(facts), violations: createViolations() }),
  capture({ presence, violations }, event) {
    if (event.event === 'joined' || event.event === 'left' || event.event === 'crashed') presence.capture(event)
    else if (!presence.has(event.node)) {
      violations.add(`node ${event.node} is away, and "${event.event}" happened at it after ${event.ms} ms`)
    }
  },
})
