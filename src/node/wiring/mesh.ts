import { join } from 'node:path'
import { type BlockList, createBlockList } from '../../admission/operator/block-list.ts'
import { nowSeconds } from '../../base/clock.ts'
import { type Code, createCode } from '../../code/index.ts'
import type { Intake } from '../../intake/index.ts'
import { createNetwork, type Network, type NetworkHandlers } from '../../network/index.ts'
import { createTrust, createTrustStore, type Trust } from '../../trust/index.ts'
import type { NodeInit } from '../types.ts'
import { providersOf } from './code-provider.ts'
import type { NodeContext } from './context.ts'
import { networkInitOf } from './network-config.ts'

export type Mesh = {
  readonly network: Network
  readonly trust: Trust
  readonly code: Code
  readonly blocks: BlockList
}

/** The node among its peers. It listens from here on; `join` makes it answer. */
export async function createMesh(
  context: NodeContext,
  init: Pick<NodeInit, 'identity' | 'clientAccess' | 'dht' | 'without'>,
): Promise<Mesh> {
  const { clock, rng, log, events, journal, keys, platform, closing, parts } = context
  const { dataDir, quotas } = context.configuration()
  const store = parts.use(
    createTrustStore(
      {
        clock,
        log: log.child('trust'),
        events,
        statements: journal.statements,
        keys,
        hasLiveCode: (code) => journal.announcements.hasLiveCode(code, nowSeconds(clock)),
      },
      { network: context.networkName, own: context.signer.address, policy: () => context.policy().config },
    ),
  )
  const blocks = createBlockList({ clock, store: journal.blocks })
  const network = parts.use(
    await createNetwork(
      {
        ...{ clock, rng, log: log.child('network'), events },
        ...{ recordValidator: store.recordValidator, host: platform.host },
        isBlocked: (peer) => blocks.get('peer', peer) !== undefined,
      },
      networkInitOf(context.configuration(), init.identity.key, init),
    ),
  )
  const trust = parts.use(
    createTrust(store, {
      clock,
      rng,
      log: log.child('trust'),
      events,
      records: { find: network.dht.findValues, put: network.dht.putValue },
      mesh: { publish: (statement) => network.statements.publish(statement, { signal: closing }) },
    }),
  )
  const code = parts.use(
    await createCode(
      {
        clock,
        rng,
        log: log.child('code'),
        events,
        disk: platform.disk,
        ...platform.code,
        streams: network.streams,
        providers: providersOf(network),
        internet: platform.internet,
        onInvalidData: (peer) => network.peerScores.penalize(peer),
      },
      {
        dir: join(dataDir, 'code'),
        maxBytes: quotas.CODE_STORE,
        self: network.peerId,
        storage: () => ({ ...context.policy().config, clientRegistries: context.configuration().clientRegistries }),
        clientAccess: init.clientAccess,
      },
    ),
  )
  return { network, trust, code, blocks }
}

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
