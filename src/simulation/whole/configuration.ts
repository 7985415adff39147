import { join } from 'node:path'
import { nodeSchema } from '../../config/files/node-schema.ts'
import { type Configuration, dockerEnvironment, readPolicy, runtimeInit } from '../../config/index.ts'
import { policyOf, type Trusted } from '../plan/policy.ts'
import type { Scenario } from '../scenario/scenario.ts'

export const NETWORK = 'simulation'

/** Where a node of a scenario is, and what it knows of the others. */
export type Place = {
  readonly scenario: Scenario
  /** index of its group */
  readonly group: number
  /** multiaddrs that it dials */
  readonly neighbours: readonly string[]
  readonly trusted: Trusted<string>
  /** its folder */
  readonly dir: string
  /** a multiaddr */
  readonly listen: string
}

/** As an operator's files would give it. */
export function configurationOf({ scenario, group, neighbours, trusted, dir, listen }: Place): Configuration {
  const node = nodeSchema.parse({ NETWORK, VISIBILITY: 'private', API: false, PEERS: { LOW: 0 } })
  const { policy } = readPolicy({ ...policyOf(scenario, group, trusted), STATIC_NODES: neighbours })
  return {
    ...{ dir, network: NETWORK, visibility: 'private', announce: [], api: false, peers: { low: 0 } },
    listen: [listen],
    dataDir: join(dir, 'data'),
    runtime: runtimeInit(undefined, {}),
    dockerEnvironment: dockerEnvironment({}),
    logLevel: 'silent',
    metrics: false,
    alerts: {},
    quotas: node.QUOTAS,
    timeouts: node.TIMEOUTS,
    services: [],
    externalServices: [],
    runner: { entry: join(dir, 'runner.js'), dir, configFile: join(dir, 'config.json'), network: false },
    policy,
    clientRegistries: {},
  }
}
