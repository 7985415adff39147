import { peerIdOf } from '../../../protocols/address.ts'
import type { Clock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRng } from '../../base/rng.ts'
import { nodeSchema } from '../../config/files/node-schema.ts'
import { type Configuration, dockerEnvironment, type Identity, readPolicy, runtimeInit } from '../../config/index.ts'
import { createNode, type ThundercloudNode } from '../../node/index.ts'
import { andromeda } from '../../runner/andromeda/index.ts'
import { createInProcessRunnerHost } from '../../runner/index.ts'
import type { Platform } from '../machine/platform.ts'
import { identityOf } from '../plan/identity.ts'
import { policyOf, type Trusted } from '../plan/policy.ts'
import { fastRandom } from '../plan/random.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** One of a scenario's nodes, before it is started. */
export type Member = {
  readonly name: string
  readonly host: string
  readonly peerId: string
  readonly multiaddr: string
  readonly identity: Identity
}

type MemberInit = {
  readonly scenario: Scenario
  /** index of its group */
  readonly group: number
  /** multiaddrs that it dials */
  readonly neighbours: readonly string[]
  readonly trusted: Trusted<string>
  /** counts the starts of this node, from 0 */
  readonly start: number
}

const PORT = 4980
export const NETWORK = 'simulation'

export function memberOf({ seed }: Scenario, index: number): Member {
  const name = `node-${index}`
  const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  const identity = identityOf(seed, index)
  const peerId = peerIdOf(identity.signer.address)
  return { name, host, peerId, multiaddr: `/ip4/${host}/tcp/${PORT}/p2p/${peerId}`, identity }
}

/** A whole node, as a program has it. */
export function startMember(
  { clock, platform }: { clock: Clock; platform: Platform },
  { name, host, identity }: Member,
  init: MemberInit,
): Promise<ThundercloudNode> {
  const { scenario, start } = init
  const seed = start === 0 ? `${scenario.seed}/${name}` : `${scenario.seed}/${name}/${start}`
  const runnerHost = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: answerMsOf(scenario, seed) })
  return createNode(
    { clock, rng: seededRng(seed), log: silentLog(), runnerHost, platform },
    {
      configuration: configurationOf(host, init),
      identity,
      version: '0.0.0',
      dht: scenario.dht,
      // one that leaves takes its runs with it; after a crash they are adopted
      stopRunsOnClose: true,
    },
  )
}

function answerMsOf({ verdictMs: { min, max } }: Scenario, seed: string): () => number {
  const random = fastRandom(`${seed}/verdicts`)
  return () => min + random.fraction() * (max - min)
}

function configurationOf(host: string, { scenario, group, neighbours, trusted }: MemberInit): Configuration {
  const node = nodeSchema.parse({ NETWORK, VISIBILITY: 'private', API: false, PEERS: { LOW: 0 } })
  const { policy } = readPolicy({ ...policyOf(scenario, group, trusted), STATIC_NODES: neighbours })
  const dir = '/node'
  return {
    ...{ dir, network: NETWORK, visibility: 'private', announce: [], api: false, peers: { low: 0 } },
    listen: [`/ip4/${host}/tcp/${PORT}`],
    dataDir: `${dir}/data`,
    runtime: runtimeInit(undefined, {}),
    dockerEnvironment: dockerEnvironment({}),
    logLevel: 'silent',
    metrics: false,
    alerts: {},
    quotas: node.QUOTAS,
    timeouts: node.TIMEOUTS,
    services: [],
    externalServices: [],
    runner: { entry: `${dir}/runner.js`, dir, configFile: `${dir}/config.json`, network: false },
    policy,
    clientRegistries: {},
  }
}
