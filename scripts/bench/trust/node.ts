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
import { meshHandlers } from '../../../src/node/wiring/mesh-handlers.ts'
import { createNodeTrust } from '../../../src/node/wiring/trust.ts'
import type { Trust } from '../../../src/trust/index.ts'
import { type BenchHub, NETWORK } from './statements.ts'

const clock = systemClock()
const rng = systemRng()
const log = createLog({ level: 'error' })

/** A policy that believes these hubs: all of them make the quorum. */
export function believing(hubs: readonly BenchHub[]): Policy {
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
  const closing = new AbortController()
  parts.defer(() => closing.abort(new Error('the benchmark is over')))
  const trust: Trust = parts.use(
    createNodeTrust(
      { clock, rng, log, events, journal, keys: createKeyCache(), network: () => network, servicesInUse: () => [] },
      { network: NETWORK, signer: ed25519Signer(identity), policy: () => policy, closing: closing.signal },
    ),
  )
  const noServices = {
    gossip: async () => 'ignore' as const,
    syncSource: { list: () => [], get: () => undefined, wants: () => [], arrive: async () => {} },
  }
  const network: Network = parts.use(
    await createNetwork(
      { clock, rng, log, events, recordValidator: trust.recordValidator },
      { network: NETWORK, identity, listen: ['/ip4/127.0.0.1/tcp/0'], visibility: 'private', keepPeers: false },
    ),
  )
  await network.join(meshHandlers(noServices, trust))
  const done = parts.move()
  return { network, trust, [Symbol.asyncDispose]: () => done.disposeAsync() }
}
