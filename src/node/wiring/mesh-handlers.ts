import type { Intake } from '../../intake/index.ts'
import type { NetworkComponents } from '../../network/index.ts'
import type { Trust } from '../../trust/index.ts'

/** Who in the node answers the mesh. `intake` is made after the network and asked only when something arrives. */
export function meshHandlersOf(
  intake: () => Pick<Intake, 'gossip' | 'syncSource'>,
  trust: Pick<Trust, 'validateGossip' | 'sync' | 'recordValidator'>,
): Pick<NetworkComponents, 'validator' | 'sync' | 'statements' | 'recordValidator'> {
  return {
    validator: ({ data, from }) => intake().gossip(data, from),
    sync: {
      list: (after, max) => intake().syncSource.list(after, max),
      get: (id) => intake().syncSource.get(id),
      wants: (items) => intake().syncSource.wants(items),
      arrive: (bytes, from, via) => intake().syncSource.arrive(bytes, from, via),
    },
    statements: { validator: async ({ data, from }) => trust.validateGossip(data, from), sync: trust.sync },
    recordValidator: trust.recordValidator,
  }
}
