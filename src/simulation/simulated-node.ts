import { createPrivateKey } from 'node:crypto'
import { peerIdOf } from '../../protocols/address.ts'
import { ed25519Signer } from '../../protocols/signature.ts'
import type { Clock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { seededRng } from '../base/rng.ts'
import { nodeSchema } from '../config/files/node-schema.ts'
import { type Configuration, dockerEnvironment, type Identity, readPolicy, runtimeInit } from '../config/index.ts'
import { createNode, type ThundercloudNode } from '../node/index.ts'
import { andromeda } from '../runner/andromeda/index.ts'
import { createInProcessRunnerHost } from '../runner/index.ts'
import { simulatedPlatform } from './machine/platform.ts'
import type { Wire } from './network/wire.ts'
import type { Scenario } from './types.ts'

/** One of a scenario's nodes, before it is started. */
export type Member = {
  readonly name: string
  readonly host: string
  readonly multiaddr: string
  readonly identity: Identity
}

/** `neighbours`: multiaddrs that it dials. `authors`: addresses whose services it runs. */
type Knows = { readonly neighbours: readonly string[]; readonly authors: readonly string[] }

const PORT = 4980
const NETWORK = 'simulation'
/** What an ed25519 key in PKCS#8 begins with. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Of Andromeda, from the question to its answer. */
const ANSWER_MS = 1
const LIMITS = { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '4GiB', PIDS: 1024, RUNS: 16 } }

export function memberOf({ seed }: Scenario, index: number): Member {
  const name = `node-${index}`
  const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  const der = Buffer.concat([PKCS8, seededRng(`${seed}/${name}/key`).bytes(32)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const signer = ed25519Signer(key)
  const multiaddr = `/ip4/${host}/tcp/${PORT}/p2p/${peerIdOf(signer.address)}`
  return { name, host, multiaddr, identity: { signer, key } }
}

/** A whole node, as a program has it, on a machine of its own. */
export function startMember(
  { clock, wire }: { clock: Clock; wire: Wire },
  { name, host, identity }: Member,
  scenario: Scenario,
  knows: Knows,
): Promise<ThundercloudNode> {
  const runnerHost = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: ANSWER_MS })
  return createNode(
    {
      clock,
      rng: seededRng(`${scenario.seed}/${name}`),
      log: silentLog(),
      runnerHost,
      platform: simulatedPlatform({ clock, wire }, { host }),
    },
    { configuration: configurationOf(host, scenario, knows), identity, version: '0.0.0', dht: scenario.dht },
  )
}

function configurationOf(host: string, scenario: Scenario, { neighbours, authors }: Knows): Configuration {
  const node = nodeSchema.parse({ NETWORK, VISIBILITY: 'private', API: false, PEERS: { LOW: 0 } })
  const { policy } = readPolicy({
    REDIRECTION_DEPTH: scenario.redirectionDepth,
    STATIC_NODES: neighbours,
    KEYWORDS: [],
    TRUST_TREE: { ROOTS: Object.fromEntries(authors.map((address) => [address, { DEPTH: 0 }])) },
    LIMITS,
    PREFER_TOOLCHAIN: { host: ['node.js'] },
  })
  const dir = '/node'
  return {
    ...{ dir, network: NETWORK, visibility: 'private', announce: [], api: false, peers: { low: 0 } },
    listen: [`/ip4/${host}/tcp/${PORT}`],
    dataDir: `${dir}/data`,
    runtime: runtimeInit(undefined, {}),
    dockerEnvironment: dockerEnvironment({}),
    logLevel: 'silent',
    quotas: node.QUOTAS,
    timeouts: node.TIMEOUTS,
    services: [],
    externalServices: [],
    runner: { entry: `${dir}/runner.js`, dir, configFile: `${dir}/config.json`, network: false },
    policy,
    clientRegistries: {},
  }
}
