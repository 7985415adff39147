import { peerIdOf } from '../../../protocols/address.ts'
import type { Clock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRng } from '../../base/rng.ts'
import { nodeSchema } from '../../config/files/node-schema.ts'
import { type Configuration, dockerEnvironment, type Identity, readPolicy, runtimeInit } from '../../config/index.ts'
import { createNode, type ThundercloudNode } from '../../node/index.ts'
import { andromeda } from '../../runner/andromeda/index.ts'
import { createInProcessRunnerHost } from '../../runner/index.ts'
import { simulatedPlatform } from '../machine/platform.ts'
import type { Wire } from '../network/wire.ts'
import { identityOf } from '../plan/identity.ts'
import { policyOf } from '../plan/policy.ts'
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
  /** addresses of all that publish */
  readonly authors: readonly string[]
}

const PORT = 4980
const NETWORK = 'simulation'

export function memberOf({ seed }: Scenario, index: number): Member {
  const name = `node-${index}`
  const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  const identity = identityOf(seed, index)
  const peerId = peerIdOf(identity.signer.address)
  return { name, host, peerId, multiaddr: `/ip4/${host}/tcp/${PORT}/p2p/${peerId}`, identity }
}

/** A whole node, as a program has it, on a machine of its own. */
export function startMember(
  { clock, wire }: { clock: Clock; wire: Wire },
  { name, host, identity }: Member,
  init: MemberInit,
): Promise<ThundercloudNode> {
  const { scenario } = init
  const runnerHost = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: scenario.verdictMs.min })
  return createNode(
    {
      clock,
      rng: seededRng(`${scenario.seed}/${name}`),
      log: silentLog(),
      runnerHost,
      platform: simulatedPlatform({ clock, wire }, { host }),
    },
    { configuration: configurationOf(host, init), identity, version: '0.0.0', dht: scenario.dht },
  )
}

function configurationOf(host: string, { scenario, group, neighbours, authors }: MemberInit): Configuration {
  const node = nodeSchema.parse({ NETWORK, VISIBILITY: 'private', API: false, PEERS: { LOW: 0 } })
  const { policy } = readPolicy({ ...policyOf(scenario, group, authors), STATIC_NODES: neighbours })
  const dir = '/node'
  return {
    ...{ dir, network: NETWORK, visibility: 'private', announce: [], api: false, peers: { low: 0 } },
    listen: [`/ip4/${host}/tcp/${PORT}`],
    dataDir: `${dir}/data`,
    runtime: runtimeInit(undefined, {}),
    dockerEnvironment: dockerEnvironment({}),
    logLevel: 'silent',
    metrics: false,
    quotas: node.QUOTAS,
    timeouts: node.TIMEOUTS,
    services: [],
    externalServices: [],
    runner: { entry: `${dir}/runner.js`, dir, configFile: `${dir}/config.json`, network: false },
    policy,
    clientRegistries: {},
  }
}
