import { z } from 'zod'
import { MAX_LIFETIME_SECONDS } from '../../../protocols/limits.ts'
import { joinWords } from '../../base/format.ts'
import { staticNode, storageHost } from '../network-fields.ts'
import { wrongKeys } from '../statements/members.ts'
import { addressMap, decimal, idRange, keys, list, oneOf, record, sentence, whole, words } from '../zod-fields.ts'
import { checkContainer } from './containers.ts'
import { REGISTRY_KEYS, registryMap } from './registry-keys.ts'
import { dockerConfigs, hub, limits, minFreeze, mirror, modes, netcap, toolchainList } from './runner-fields.ts'

/** Chains, assets and toolchains that people list: each is looked through for every service. */
const MAX_NAMES = 256
const ASSET = "an asset's name of 1 to 32 characters"

/** The shape of a runner's config.json: the same for every runner. Every default fails closed. */
export const runnerShape = {
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  DOCKER_CONFIGS: dockerConfigs.describe('how the Docker engine is reached; default: its local socket').prefault({}),
  DESC_MAX_LEN: whole(0, 4097)
    .describe('a description must be shorter than this; else the service is dropped')
    .default(200),
  REDIRECTION_DEPTH: whole(0, 8)
    .describe('how far a service still travels from here: emitted depth = min(best received, this) - 1; 0 = never')
    .default(0),
  STATIC_NODES: list(staticNode(), 256)
    .describe("always dialled: multiaddrs, or HTTP(S) origins of other nodes' APIs")
    .default([]),
  TRUSTED_HUBS: addressMap(hub)
    .describe('security centres that are believed; {} = weight 0, counts as one')
    .prefault({}),
  QUORUM: keys({
    HUBS: whole(1, 1000).describe('hubs that must call code safe; default: min(2, trusted hubs)').optional(),
    WEIGHT: whole(0, Number.MAX_SAFE_INTEGER).describe('their weights together').default(0),
  })
    .describe('how many hubs, and with how much weight, must call code safe')
    .prefault({}),
  TRUST_TREE: keys({
    ROOTS: addressMap(keys({ DEPTH: whole(0, 16).describe('links of delegation; 0 = that address alone').default(0) }))
      .describe("addresses that are vouched for; the node's own always is, with DEPTH 16 where it is not listed")
      .prefault({}),
  })
    .describe('authors with services that may run without a quorum')
    .prefault({}),
  PREFER_TOOLCHAIN: keys({
    docker: toolchainList.describe('toolchains that run in Docker').prefault([]),
    host: toolchainList.describe('toolchains that run in the sandbox on this host').prefault([]),
  })
    .describe('what can run here; Docker is preferred where both fit; empty = nothing runs')
    .prefault({}),
  KEYWORDS: words(1024).describe('interests: one must match, in any case; empty = all').default([]),
  NETCAP: netcap.describe('what network a run may have; {} = none').prefault({}),
  PREFER_SYMBIOTES: addressMap(minFreeze).describe('symbiotes with services that rank higher').prefault({}),
  PREFER_HOSTCHAINS: record(
    z.string().min(1, "a chain's name").max(32, "a chain's name").toLowerCase(),
    minFreeze,
    MAX_NAMES,
    'an object from chain to settings',
  )
    .describe('host chains with services that rank higher')
    .prefault({}),
  DORMITORY: keys({
    MAX: whole(0, 1_000_000).describe('services that are parked at once; 0 = none').default(256),
    TTL_SECONDS: whole(0, MAX_LIFETIME_SECONDS)
      .describe('how long a service is parked at most; 0 = none is')
      .default(86_400),
  })
    .describe('where accepted services wait for a quorum, a freeze statement or capacity')
    .prefault({}),
  ALLOWED_STORAGE: list(storageHost(), 1024)
    .describe(
      'hosts with their subdomains, addresses and address ranges that code may be downloaded from; peers need no entry',
    )
    .default([]),
  REGISTRIES: registryMap(list(mirror, 32), 'an object from toolchain to a list of addresses')
    .describe(
      `package indexes that code is downloaded from, tried in order, per toolchain: ${joinWords(REGISTRY_KEYS)} (image registries); { URL, OWN_ONLY: true } = for services of the node's own address alone`,
    )
    .prefault({}),
  CONTAINERS: list(z.string('text'), 256)
    .superRefine((names, context) => {
      for (const [index, name] of names.entries()) checkContainer(name, context, [index])
    })
    .describe(
      'pools, containers made with `thundercloud pool create`: <group>-<owner address>-<toolchains joined by dots>; services of that owner run in them',
    )
    .default([]),
  REDIRECT: oneOf(['unless-run', 'always', 'never'])
    .describe('"unless-run": what does not run here, and what wants more than one replica')
    .default('unless-run'),
  PRICING: record(
    z.string().min(1, ASSET).max(32, ASSET),
    keys({
      GIB_HOUR: decimal().describe('per GiB of memory and hour').prefault('0'),
      CORE_HOUR: decimal().describe('per core and hour').prefault('0'),
    }),
    MAX_NAMES,
    'an object from asset to prices',
  )
    .describe('lowest reward per asset; {} = none is asked for')
    .prefault({}),
  LIMITS: limits.describe('what this node grants, in all and to one service; what is missing is 0').prefault({}),
  MODES: modes
    .describe('rules that only warn: such a rule stops nothing, and says what it would have done')
    .prefault({}),
  HOST: keys({
    SANDBOX: oneOf(['auto', 'bubblewrap'])
      .describe('"auto": without bubblewrap, Node\'s permission model for the own address\' node.js services')
      .default('auto'),
    BUBBLEWRAP: z
      .string('a path')
      .min(1, 'a path')
      .max(256, 'a path')
      .describe('the bubblewrap program')
      .default('bwrap'),
    UIDS: idRange(1000, 2_147_483_647, 64)
      .describe('user ids for runs, one each, where the node is root; no person or daemon may have one of them')
      .default('2000000000-2000065535'),
  })
    .describe('how services run on this host')
    .prefault({}),
  CUSTOM: z.record(z.string(), z.unknown(), 'an object').describe("a custom runner's own settings").default({}),
  MUST_SEND: z.unknown().describe('a name of older runners; has no effect').optional(),
  SEND_TO_STATIC: z.unknown().describe('a name of older runners; has no effect').optional(),
}

/** Names of older runners: taken, reported, without effect. */
export const LEGACY_RUNNER_KEYS: ReadonlySet<string> = new Set(['MUST_SEND', 'SEND_TO_STATIC'])

export const runnerSchema = keys(runnerShape).transform((config, context) => {
  const { $schema: _schema, MUST_SEND: _mustSend, SEND_TO_STATIC: _sendToStatic, ...rest } = config
  const weights = Object.values(rest.TRUSTED_HUBS).map(({ WEIGHT }) => WEIGHT)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (const { path, problem } of wrongKeys(rest)) sentence(context, ['TRUSTED_HUBS', ...path], problem)
  const HUBS = rest.QUORUM.HUBS ?? Math.min(2, weights.length)
  if (HUBS > weights.length) {
    sentence(context, ['QUORUM', 'HUBS'], `is ${HUBS}, but TRUSTED_HUBS names ${weights.length}: it could never be met`)
  }
  if (rest.QUORUM.WEIGHT > total) {
    sentence(
      context,
      ['QUORUM', 'WEIGHT'],
      `is ${rest.QUORUM.WEIGHT}, but all TRUSTED_HUBS together weigh ${total}: it could never be met`,
    )
  }
  return { ...rest, QUORUM: { HUBS, WEIGHT: rest.QUORUM.WEIGHT } }
})

/**
 * A runner's validated configuration, in the file's own shape: plain JSON, so that it crosses to the runner's process.
 * Addresses have their canonical text, toolchains their canonical name; sizes are bytes, cpu is millicores.
 */
export type RunnerConfig = z.output<typeof runnerSchema>
