import { generateKeyPairSync } from 'node:crypto'
import { createKeyCache, ed25519Signer } from '../../../protocols/signature.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { type Policy, readPolicy } from '../../../src/config/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { createNetwork, type Network } from '../../../src/network/index.ts'
import type { NodeEvents } from '../../../src/node/events.ts'
import { meshHandlers } from '../../../src/node/wiring/mesh.ts'
import { createTrust, createTrustStore, type Trust } from '../../../src/trust/index.ts'
import { type BenchHub, NETWORK } from './statements.ts'

const clock = systemClock()
const rng = systemRng()
const log = createLog({ level: 'error' })

/** A policy that believes these hubs: all of them make the quorum. */
export function trustPolicyFor(hubs: readonly BenchHub[]): Policy {
  const TRUSTED_HUBS = Object.fromEntries(hubs.map(({ text, settings }) => [text, { WEIGHT: 1, ...settings }]))
  return readPolicy({ TRUSTED_HUBS, QUORUM: { HUBS: hubs.length } }, 'config.json', NETWORK).policy
}

export interface BenchMember extends AsyncDisposable {
  readonly network: Network
  readonly trust: Trust
}

/** What a node has of trust: src/trust as the node composes it, over a journal in memory and the real network. */
export async function openMember(policy: Policy): Promise<BenchMember> {
  await using parts = new AsyncDisposableStack()
  const identity = generateKeyPairSync('ed25519').privateKey
  const events = createEvents<NodeEvents>()
  const journal = parts.use(openJournal({ path: ':memory:', clock, log }))
  const store = parts.use(
    createTrustStore(
      { clock, log, events, statements: journal.statements, keys: createKeyCache(), hasLiveCode: () => false },
      { network: NETWORK, own: ed25519Signer(identity).address, policy: () => policy.config },
    ),
  )
  const noServices = {
    gossip: async () => 'ignore' as const,
    syncSource: { list: () => [], get: () => undefined, wants: () => [], arrive: async () => {} },
  }
  const network = parts.use(
    await createNetwork(
      { clock, rng, log, events, recordValidator: store.recordValidator },
      { network: NETWORK, identity, listen: ['/ip4/127.0.0.1/tcp/0'], visibility: 'private', keepPeers: false },
    ),
  )
  const trust = parts.use(
    createTrust(store, {
      clock,
      rng,
      log,
      events,
      records: { find: network.dht.findValues, put: network.dht.putValue },
      mesh: { publish: (statement) => network.statements.publish(statement) },
    }),
  )
  await network.join(meshHandlers(noServices, trust))
  const done = parts.move()
  return { network, trust, [Symbol.asyncDispose]: () => done.disposeAsync() }
}
