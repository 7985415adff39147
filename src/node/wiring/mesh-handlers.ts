import type { Intake } from '../../intake/index.ts'
import type { NetworkHandlers } from '../../network/index.ts'
import type { Trust } from '../../trust/index.ts'

/** What of the node answers the mesh. */
export function meshHandlers(
  intake: Pick<Intake, 'gossip' | 'syncSource'>,
  trust: Pick<Trust, 'validateGossip' | 'sync'>,
): NetworkHandlers {
  return {
    services: { validator: ({ data, from }) => intake.gossip(data, from), sync: intake.syncSource },
    statements: { validator: async ({ data, from }) => trust.validateGossip(data, from), sync: trust.sync },
  }
}
