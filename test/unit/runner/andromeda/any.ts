import fc from 'fast-check'
import type { RunnerConfig } from '../../../../src/config/files/runner-schema.ts'
import type { ReceivedService, ReceivedSource } from '../../../../src/runner/contract.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'
import { HUB, OTHER, said } from './table.ts'

/** Mostly what lets a service run: otherwise nearly all would fail at one rule or another. */
export function mostly<T, U = T>(usual: T, rare: fc.Arbitrary<U>, weight = 9): fc.Arbitrary<T | U> {
  return fc.oneof<[fc.WeightedArbitrary<T>, fc.WeightedArbitrary<U>]>(
    { arbitrary: fc.constant(usual), weight },
    { arbitrary: rare, weight: 1 },
  )
}

export const [SYMBIOTE] = Object.keys(
  configOf({ PREFER_SYMBIOTES: { 'legacy:QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK': {} } }).PREFER_SYMBIOTES,
) as [string]
const HUB_SETTINGS = { [HUB]: { WEIGHT: 2 }, [OTHER]: { WEIGHT: 1 }, [SYMBIOTE]: {} }

const word = fc.constantFrom('api', 'API', 'games', 'web3', 'tor')
const tool = fc.constantFrom('docker', 'node', 'Node.JS', 'rust', 'go', 'cobol\u202e')
const listed = fc.constantFrom('docker', 'node', 'Node.JS', 'rust', 'go')
const target = fc.constantFrom('a.b.c:443', 'x.b.c:443', '*.b.c:443', 'a.b.c:22', 'evil.io:443', '10.0.0.1:443')
const source = fc.constantFrom<ReceivedSource>(
  { type: 'mesh' },
  { type: 'https', url: 'https://codeload.github.com/x' },
  { type: 'https', url: 'https://evilgithub.com/x' },
  { type: 'git', url: 'https://gitlab.com/x', commit: 'a'.repeat(40) },
  { type: 'registry', kind: 'npm', name: 'x', version: '1' },
  { type: 'oci', ref: 'ghcr.io/x/y' },
)
const little = fc.integer({ min: 1, max: 3 })
const amount = fc.constantFrom('0', '0.5', '1', '2.000000000000000001', '50')

/** A service: of the node itself, of a root, or of a stranger. */
export const service: fc.Arbitrary<ReceivedService> = fc
  .record({
    author: fc.constantFrom(OWN, STRANGER, SYMBIOTE),
    desc: fc.string({ maxLength: 5, unit: 'grapheme' }),
    keywords: mostly<string[]>(['api'], fc.array(word, { maxLength: 3 })),
    toolchain: mostly<string[]>(['node'], fc.uniqueArray(tool, { maxLength: 3 })),
    sources: fc.array(source, { maxLength: 2 }),
    network: mostly<string[]>([], fc.uniqueArray(target, { maxLength: 3 }), 1),
    hostchains: fc.uniqueArray(fc.constantFrom('btc', 'BTC', 'sol'), { maxLength: 2 }),
    symbiotes: mostly<string[]>([], fc.constant([SYMBIOTE])),
    replicas: fc.integer({ min: 1, max: 3 }),
    reward: fc.option(fc.record({ asset: fc.constantFrom('kly', 'usd', 'doge'), perHour: amount }), { nil: undefined }),
    resources: fc.record({ memory: little, disk: little, cpu: little, pids: little }),
  })
  .map((change) => serviceOf(change as Partial<ReceivedService>))

const much = mostly(8, fc.integer({ min: 1, max: 8 }))
const most = { MEMORY: much, CPU: much, DISK: much, PIDS: much }
const freeze = fc.constantFrom({}, { MIN_FREEZE: 0 }, { MIN_FREEZE: 1 }, { MIN_FREEZE: '2.5' })
const prices = fc.record({ GIB_HOUR: mostly(0, amount), CORE_HOUR: mostly(0, fc.constantFrom('1', '100', '1000')) })
const WARNABLE = ['desc-length', 'keywords', 'storage', 'network', 'price', 'veto', 'trust', 'freeze'] as const

/** Settings as a person writes them. */
export const settings = fc.record({
  DESC_MAX_LEN: mostly(20, fc.integer({ min: 0, max: 13 })),
  REDIRECTION_DEPTH: fc.integer({ min: 0, max: 2 }),
  REDIRECT: fc.constantFrom('unless-run', 'always', 'never'),
  KEYWORDS: mostly<string[]>(['tor', 'api', 'web3'], fc.array(word, { maxLength: 3 })),
  PREFER_TOOLCHAIN: fc.record({
    docker: fc.array(listed, { maxLength: 3 }),
    host: mostly<string[]>(['node.js', 'rust'], fc.array(listed, { maxLength: 3 })),
  }),
  NETCAP: fc.oneof(
    fc.constant({}),
    fc.record(
      {
        MODE: fc.constantFrom('allowlist', 'open'),
        ALLOW: fc.uniqueArray(fc.constantFrom('*.b.c:443', 'a.b.c:22', 'a.b.c:443', '10.0.0.1:443'), { maxLength: 3 }),
        PORTS: fc.uniqueArray(fc.constantFrom(22, 443), { maxLength: 2 }),
        RATE_KBPS: fc.constantFrom(10, 20),
      },
      { requiredKeys: ['MODE', 'ALLOW'] },
    ),
  ),
  PREFER_HOSTCHAINS: fc.record({ btc: mostly({}, freeze), sol: mostly({}, freeze) }),
  PREFER_SYMBIOTES: fc.record({ [SYMBIOTE]: freeze }),
  TRUSTED_HUBS: fc.constantFrom<object>({}, HUB_SETTINGS, HUB_SETTINGS),
  TRUST_TREE: fc.constantFrom<{ ROOTS: object }>(
    { ROOTS: {} },
    { ROOTS: { [STRANGER]: { DEPTH: 0 }, [SYMBIOTE]: {} } },
    { ROOTS: { [SYMBIOTE]: { DEPTH: 2 } } },
  ),
  DORMITORY: fc.constantFrom({}, { MAX: 0 }, { TTL_SECONDS: 0 }),
  ALLOWED_STORAGE: fc.uniqueArray(fc.constantFrom('github.com', 'gitlab.com', 'npmjs.com', 'ghcr.io')),
  REGISTRIES: fc.constantFrom<Record<string, string[]>>(
    {},
    { NODE: ['http://localhost:4873'] },
    { DOCKER: ['http://localhost:5000'] },
  ),
  CONTAINERS: fc.constantFrom<string[]>(
    [],
    ['a-WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq-node', `b-${STRANGER}-node.go`],
  ),
  PRICING: fc.oneof(fc.constant({}), fc.record({ kly: prices, usd: prices }, { requiredKeys: ['kly'] })),
  MODES: mostly<object>(
    {},
    fc
      .uniqueArray(fc.constantFrom(...WARNABLE), { maxLength: 3 })
      .map((names) => Object.fromEntries(names.map((name) => [name, 'warn']))),
  ),
  LIMITS: fc.record({
    TOTAL: fc.record({ ...most, RUNS: mostly(8, fc.integer({ min: 0, max: 8 })) }),
    EVICT: fc.boolean(),
  }),
})
export type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never

const hub = fc.constantFrom(HUB, OTHER, SYMBIOTE, STRANGER)
export const statement = fc
  .tuple(
    hub,
    mostly('safe' as const, fc.constant('unsafe' as const), 19),
    mostly(-60, fc.integer({ min: -200, max: 200 })),
    mostly(600, fc.integer({ min: -10, max: 10 })),
    fc.constantFrom(
      {},
      { severity: 'low' as const },
      { severity: 'critical' as const, report: `https://hub.example/${'\u202eé'.repeat(200)}` },
    ),
  )
  .map(([from, verdict, issued, expires, more]) =>
    said(from, verdict, issued, expires, verdict === 'unsafe' ? more : {}),
  )
const running = fc
  .record({
    rank: fc.integer({ min: 0, max: 20 }),
    own: mostly(false, fc.boolean()),
    executor: fc.constantFrom('docker', 'host', 'swarm'),
    memory: little,
    disk: little,
    cpu: little,
    pids: little,
  })
  .map((held) => ({ ...held, author: STRANGER }))

/** What the node knows and has. */
export const facts: fc.Arbitrary<Partial<RunnerSnapshot>> = fc.record({
  depth: fc.integer({ min: 0, max: 8 }),
  capacity: fc.record({
    memoryBytes: much,
    cpuMillicores: much,
    diskBytes: much,
    pids: much,
    runs: mostly(8, fc.constant(0), 2),
    executors: fc.subarray(
      [
        { name: 'docker' as const, networks: ['allowlist' as const] },
        { name: 'host' as const, networks: ['allowlist' as const, 'open' as const] },
        { name: 'host' as const },
      ],
      { minLength: 1 },
    ),
    here: mostly(undefined, fc.record({ memoryBytes: much, cpuMillicores: much, diskBytes: much }), 1),
  }),
  attestations: fc.array(statement, { maxLength: 6 }),
  quorum: mostly(null, fc.record({ hubs: little, weight: little, met: fc.boolean() })),
  inTree: fc.boolean(),
  frozen: fc.array(fc.record({ hub, chain: fc.constantFrom('btc', 'sol', SYMBIOTE), amount }), { maxLength: 4 }),
  running: fc
    .array(running, { maxLength: 4 })
    .map((all) => all.map((one, index) => ({ ...one, id: `run-${index}`, name: `run-${index}` }))),
})

const parsed = new Map<string, RunnerConfig>()
/** Reading an address takes a millisecond, and few settings with addresses are drawn: each is read once. */
function read(part: object): RunnerConfig {
  const key = JSON.stringify(part)
  const known = parsed.get(key) ?? configOf(part)
  parsed.set(key, known)
  return known
}

export function nodeOf(chosen: object, known: Partial<RunnerSnapshot> = {}): RunnerSnapshot {
  const { TRUSTED_HUBS, QUORUM, TRUST_TREE, PREFER_SYMBIOTES, CONTAINERS, ...rest } = chosen as Record<string, object>
  const hubs = read({ TRUSTED_HUBS, QUORUM })
  const config: RunnerConfig = {
    ...configOf(rest),
    TRUSTED_HUBS: hubs.TRUSTED_HUBS,
    QUORUM: hubs.QUORUM,
    TRUST_TREE: read({ TRUST_TREE }).TRUST_TREE,
    PREFER_SYMBIOTES: read({ PREFER_SYMBIOTES }).PREFER_SYMBIOTES,
    CONTAINERS: read({ CONTAINERS }).CONTAINERS,
  }
  return snapshotOf(config, known)
}
