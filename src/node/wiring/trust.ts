import type { KeyCache, Signer } from '../../../protocols/signature.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { Policy } from '../../config/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { Network } from '../../network/index.ts'
import { createTrust, type ServiceInUse, type Trust } from '../../trust/index.ts'
import type { NodeEvents } from '../events.ts'

export interface NodeTrustComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Events<NodeEvents>
  journal: Pick<Journal, 'statements' | 'announcements'>
  keys: KeyCache
  /** The mesh, which asks trust before it is there itself. */
  network(): Pick<Network, 'dht' | 'statements'>
  servicesInUse(): ServiceInUse[]
}

/** Trust as a node has it: kept in its journal, heard and told over its mesh, by its policy. */
export function createNodeTrust(
  components: NodeTrustComponents,
  init: { network: string; signer: Signer; policy(): Policy; closing: AbortSignal },
): Trust {
  const { clock, log, journal, network, ...rest } = components
  return createTrust(
    {
      ...rest,
      clock,
      log: log.child('trust'),
      store: journal.statements,
      records: {
        find: (key, options) => network().dht.findValues(key, options),
        put: (key, value, options) => network().dht.putValue(key, value, options),
      },
      mesh: { publish: (statement) => network().statements.publish(statement, { signal: init.closing }) },
      hasLiveCode: (code) => journal.announcements.hasLiveCode(code, nowSeconds(clock)),
    },
    { network: init.network, own: init.signer.address, policy: () => init.policy().config },
  )
}
