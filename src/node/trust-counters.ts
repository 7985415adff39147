import type { Events } from '../base/events.ts'
import type { NodeEvents } from './events.ts'
import type { HubCounts, StatementCounts } from './types.ts'

/** Counts statements by outcome, and results of this node's hub, since the node started. */
export function countTrustEvents(events: Pick<Events<NodeEvents>, 'on'>): {
  statements(): StatementCounts
  hub(): HubCounts | undefined
} {
  const statements = { new: 0, refused: 0, dropped: 0, lookups: 0, failedLookups: 0 }
  const hub = { safe: 0, unsafe: 0, failed: 0, passedOver: 0 }
  let isHub = false
  events.on('trust:statement', () => statements.new++)
  events.on('trust:refused', () => statements.refused++)
  events.on('trust:dropped', () => statements.dropped++)
  events.on('trust:looked-up', ({ failed }) => {
    statements.lookups++
    if (failed > 0) statements.failedLookups++
  })
  events.on('hub:examining', () => {
    isHub = true
  })
  events.on('hub:examined', ({ verdict }) => hub[verdict]++)
  events.on('hub:failed', () => hub.failed++)
  events.on('hub:passed-over', () => hub.passedOver++)
  return { statements: () => ({ ...statements }), hub: () => (isHub ? { ...hub } : undefined) }
}
