import { base58btc } from 'multiformats/bases/base58'
import { expect, it } from 'vitest'
import { type Address, formatLegacy, isValidKey } from '../../../protocols/address.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { nodeSchema } from '../../../src/config/files/node-schema.ts'
import { servicesSchema } from '../../../src/config/files/services-schema.ts'
import { parseManifest, readPolicy } from '../../../src/config/index.ts'
import { check } from '../../../src/config/settings-error.ts'
import { sentenceOf } from '../../fixtures/config/folder.ts'

const HUB = 'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq'
const SAME_HUB = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'

type Row = [raw: unknown, sentence: string]
type Branch = Record<string, unknown>

/** The settings of `base`, and one value more at a path like "LIMITS.TOTAL.CPU" or "LISTEN[0]". */
function withValue(path: string, value: unknown, base: object = {}): object {
  const [key = '', ...rest] = path.split(/\.|(?=\[)/)
  if (key.startsWith('[')) return [rest.length === 0 ? value : withValue(rest.join('.'), value)]
  const inner = (base as Branch)[key] as object | undefined
  const below = rest.join('.').replaceAll('.[', '[')
  return { ...base, [key]: below === '' ? value : withValue(below, value, inner) }
}
const wrong = (path: string, value: unknown, allowed: string, base?: object): Row => [
  withValue(path, value, base),
  `${path} is ${JSON.stringify(value)}; allowed is ${allowed}`,
]
const unknown = (path: string, value: unknown, advice: string, base?: object): Row => [
  withValue(path, value, base),
  `${path} (${JSON.stringify(value)}) is not a known key; ${advice}`,
]
const refuses = (file: string, read: (raw: unknown) => unknown, rows: readonly Row[]) =>
  it.each(rows)(`${file}: %j`, (raw, sentence) => {
    expect(sentenceOf(() => read(raw))).toBe(`${file}: ${sentence}`)
  })

const multiaddr = 'a multiaddr like "/ip4/0.0.0.0/tcp/4980"'
const announced = 'a multiaddr like "/dns4/node.example.org/tcp/4980"'
const endpoint = 'false, or host:port like "127.0.0.1:4981"'
const quotas =
  'SERVICES_PER_AUTHOR, NEW_PER_AUTHOR_PER_MINUTE, NEW_AUTHORS_PER_PEER_PER_MINUTE, SYNC_PULLS_PER_PEER_PER_MINUTE, JOURNAL_MAX_SERVICES, QUEUE_MAX, MISSED_MAX, CODE_STORE, BUILDS and LOGS'
const time = 'a time like 90, "15m", "24h" or "7d", from 1 to'
const size = 'a size like 268435456 or "256MiB", at least'
const target = 'host:port in lower case like "api.github.com:443" or "*.example.org:443", or "service:self"'
const readNode = (raw: unknown) => check(nodeSchema, raw, 'node.json')

refuses('node.json', readNode, [
  unknown('LISTN', ['x'], 'did you mean LISTEN?'),
  unknown('listen', [], 'did you mean LISTEN?'),
  unknown('QUOTAS.QUEUE', 5, `known keys are ${quotas}`),
  wrong('NETWORK', 'My Net', 'up to 32 lower-case letters, digits and "-", not beginning with "-"'),
  wrong('NETWORK', null, 'a network name'),
  wrong('VISIBILITY', 'hidden', '"public" or "private"'),
  wrong('LISTEN', '/ip4/0.0.0.0/tcp/1', 'a list of at most 16 entries'),
  wrong('LISTEN[0]', '/ip4/0.0.0.0/udp/1', multiaddr),
  wrong('ANNOUNCE[0]', 'node.example.org:80', announced),
  wrong('API', '127.0.0.1', endpoint),
  wrong('API', '127.0.0.1:70000', endpoint),
  wrong('API', true, endpoint),
  wrong('DATA', '', 'the path of a folder'),
  wrong('LOG_LEVEL', 'loud', 'one of "silent", "error", "warn", "info", "debug" or "trace"'),
  wrong('QUOTAS.QUEUE_MAX', 1.5, 'a whole number from 1 to 1000000'),
  wrong('QUOTAS.CODE_STORE', 'lots', `${size} 1048576`),
  wrong('RELAY.RESERVATIONS', 0, 'a whole number from 1 to 1024'),
  wrong('RELAY.BYTES', 10, `${size} 65536`),
  wrong('RELAY.RATE', '1KiB', `${size} 16384`),
  wrong('RELAY.SECONDS', 5, 'a time like 90, "15m", "24h" or "7d", from 60 to 86400 seconds'),
  wrong('RELAY', true, 'an object'),
  unknown('RELAY.SPEED', 1, 'known keys are RESERVATIONS, BYTES, SECONDS and RATE'),
  wrong('TIMEOUTS.VERDICT', '5m', `${time} 60 seconds`),
])

it('node.json: is an object', () => {
  expect(sentenceOf(() => readNode([]))).toBe('node.json is []; allowed is an object')
})

it('node.json: clips long values and makes them safe for a terminal', () => {
  const sentence = sentenceOf(() => readNode({ NETWORK: `\u001b[31m${'x'.repeat(500)}` }))
  const [, words] = wrong('NETWORK', '', 'up to 32 lower-case letters, digits and "-", not beginning with "-"')
  expect(sentence).toHaveLength('node.json: '.length + words.length - '""'.length + 80)
  expect(sentence).not.toContain('\u001b')
})

const id = `bafy${'a'.repeat(55)}`
const webAddress = 'an http(s) address without user and password, like "https://localhost:4873"'
const module = 'the path of a .js, .mjs, .ts or .mts file below the runners folder'
const serviceName =
  'is no name for a service: it must be lower-case letters, digits, ".", "_" or "-", beginning with a letter or digit'

refuses('services.json', (raw) => check(servicesSchema, raw, 'services.json'), [
  [{ SERVICES: { web: {} } }, 'SERVICES.web needs DIR or MANIFEST'],
  [{ SERVICES: { web: { DIR: 'a', MANIFEST: 'b' } } }, 'SERVICES.web has both DIR and MANIFEST; keep one of them'],
  [{ SERVICES: { 'My Web': { DIR: 'a' } } }, `SERVICES["My Web"] ${serviceName}`],
  wrong('SERVICES.web', 'a', 'an object'),
  unknown('SERVICES.web.PUBLSH', true, 'did you mean PUBLISH?', { SERVICES: { web: { DIR: 'a' } } }),
  [{ EXTERNAL_SERVICES: { bafyshort: {} } }, 'EXTERNAL_SERVICES.bafyshort is no service id (bafy..., 59 characters)'],
  wrong(`EXTERNAL_SERVICES.${id}.FROM`, 1, 'a multiaddr or an HTTP(S) origin'),
  wrong('RUNNER', '../evil.js', module),
  wrong('RUNNER', '/etc/runner.js', module),
  wrong('RUNNER_NETWORK', 'yes', 'true or false'),
])

const address = 'is not an ed25519 (base58) or BLS12-381 (base58 or 0x hex) address'
const hostName = 'a host name like "github.com", an address, or a range like "10.0.0.0/8"'
const amount = 'an amount like 10 or "0.25"'
const staticNode =
  'a multiaddr like "/ip4/192.0.2.7/tcp/4980/p2p/12D3KooW..." or an origin like "https://node.example.org"'
const plainTcp =
  'is not this machine, and plain TCP gives everyone on the way full control of the engine; use protocol "https" with ca, cert and key'
const oneWay = 'contradicts host, port and protocol: an engine is reached one way; keep one of the two'
const both = 'which is listed too; keep one of them'
const container = 'must be <group>-<owner address>-<toolchains joined by dots>, like "web-7LK...-node.python"'
const noNetwork = 'contradicts MODE "none", which grants no network; set MODE to "allowlist" or remove ALLOW'
const tooMuch = 'contradicts TOTAL.MEMORY: one service would get 2147483648, all together 1073741824'
const enforced = 'is "warn", but this rule can only enforce: what it refuses could not run here anyway'
const warm = (one: object) => ({
  LIMITS: {
    TOTAL: { MEMORY: '1GiB', DISK: '1GiB', PIDS: 100 },
    WARM: { 'node.js': [{ DISK: '8MiB', PIDS: 32, ...one }] },
  },
})
const limited = { LIMITS: { TOTAL: { MEMORY: '1GiB' }, SERVICE: { MEMORY: '2GiB' } } }
const heavy = { QUORUM: { WEIGHT: 5 }, TRUSTED_HUBS: { [HUB]: { WEIGHT: 4 } } }
const registryKeys = 'known keys are NODE.JS, PYTHON, RUST, RUBY, GO, PHP, C#, HASKELL, SCALA and DOCKER'
const unknownRegistry = (name: string, advice: string): Row => [
  { REGISTRIES: { [name]: [] } },
  `REGISTRIES${name.includes('.') ? `["${name}"]` : `.${name}`} ([]) is not a known key; ${advice}`,
]
const alone = { TRUSTED_HUBS: { [HUB]: { THRESHOLD: 2 } } }
const remote = { host: 'engine.example.org' }

refuses('config.json', (raw) => readPolicy(raw), [
  unknown('KEYWORD', [], 'did you mean KEYWORDS?'),
  wrong('REDIRECTION_DEPTH', 9, 'a whole number from 0 to 8'),
  wrong('DESC_MAX_LEN', '200', 'a whole number from 0 to 4097'),
  wrong('STATIC_NODES[0]', 'somewhere', staticNode),
  [{ TRUSTED_HUBS: { abc: {} } }, `TRUSTED_HUBS.abc is no usable address: "abc" ${address}`],
  [{ TRUSTED_HUBS: { [HUB]: {}, [SAME_HUB]: {} } }, `TRUSTED_HUBS.${SAME_HUB} is another spelling of ${HUB}, ${both}`],
  [alone, `TRUSTED_HUBS.${HUB}.THRESHOLD is 2, but MEMBERS is missing`],
  [{ QUORUM: { HUBS: 2 } }, 'QUORUM.HUBS is 2, but TRUSTED_HUBS names 0: it could never be met'],
  [heavy, 'QUORUM.WEIGHT is 5, but all TRUSTED_HUBS together weigh 4: it could never be met'],
  wrong('QUORUM.HUBS', 0, 'a whole number from 1 to 1000'),
  wrong(`TRUST_TREE.ROOTS.${HUB}.DEPTH`, -1, 'a whole number from 0 to 16'),
  wrong('PREFER_TOOLCHAIN.docker', 'rust', 'a list of at most 32 entries'),
  [{ NETCAP: { ALLOW: ['a.org:443'] } }, `NETCAP.ALLOW ${noNetwork}`],
  wrong('NETCAP.ALLOW[0]', 'a.org', target, { NETCAP: { MODE: 'allowlist' } }),
  wrong('PREFER_HOSTCHAINS.btc.MIN_FREEZE', -1, amount),
  wrong('ALLOWED_STORAGE[0]', 'https://github.com', hostName),
  wrong('REGISTRIES.RUST[0]', 'crates.io', webAddress),
  [
    { REGISTRIES: { RUST: ['https://bob:hunter2@crates.io/index/'] } },
    `REGISTRIES.RUST[0] is "https://...@crates.io/index/"; allowed is ${webAddress}`,
  ],
  [{ REGISTRIES: { NODE: [], 'node.js': [] } }, `REGISTRIES["node.js"] is another name for NODE.JS, ${both}`],
  ...(
    [
      ['NODE.JS', ['NPM', 'pnpm', 'yarn', 'npmjs.com']],
      ['PYTHON', ['pip', 'pypi', 'PYTON']],
      ['RUST', ['crates', 'crates.io']],
      ['RUBY', ['gem', 'rubygems']],
      ['PHP', ['composer', 'packagist']],
      ['C#', ['nuget']],
      ['HASKELL', ['hackage', 'cabal']],
      ['SCALA', ['maven', 'sbt']],
      ['DOCKER', ['oci']],
    ] as const
  ).flatMap(([key, names]) => names.map((name) => unknownRegistry(name, `did you mean ${key}?`))),
  ...['JAVA', 'c++', 'go.dev'].map((name) => unknownRegistry(name, registryKeys)),
  [{ CONTAINERS: ['group1'] }, `CONTAINERS[0] ${container}`],
  [{ CONTAINERS: ['group1-abc-node'] }, `CONTAINERS[0] names no usable owner: "abc" ${address}`],
  wrong('REDIRECT', 'maybe', 'one of "unless-run", "always" or "never"'),
  [limited, `LIMITS.SERVICE.MEMORY ${tooMuch}`],
  wrong('LIMITS.TOTAL.CPU', 'two', 'thousandths of a core like 500, or cores as text like "0.5"'),
  unknown(
    'LIMITS.MEMORY',
    1,
    'known keys are TOTAL, SERVICE, EVICT, HEALTHY_SECONDS, HEALTHY_DEADLINE, CHECK, RESULTS, BACKOFF and WARM',
  ),
  [
    warm({ COUNT: 1, MEMORY: '2GiB' }),
    'LIMITS.WARM["node.js"][0].MEMORY is 2147483648, but one service gets 1073741824 at most',
  ],
  [
    warm({ COUNT: 3, MEMORY: '512MiB' }),
    'LIMITS.WARM["node.js"] contradicts TOTAL.MEMORY: all together would keep 1.5 GiB warm, and it is 1 GiB; lower COUNT or MEMORY',
  ],
  [{ DOCKER_CONFIGS: { ...remote, port: 2375 } }, `DOCKER_CONFIGS.host ${plainTcp}`],
  [
    { DOCKER_CONFIGS: { ...remote, protocol: 'https' } },
    'DOCKER_CONFIGS.protocol is "https", which needs all of ca, cert and key',
  ],
  [
    { DOCKER_CONFIGS: { port: 2375 } },
    'DOCKER_CONFIGS.host is missing; port and protocol say how to reach a host, so name it',
  ],
  [
    { DOCKER_CONFIGS: { SWARM: true } },
    'DOCKER_CONFIGS.SWARM is true, which needs SWARM_REGISTRY: the registry that all machines of the swarm pull from, as "registry.example.org:5000"',
  ],
  wrong(
    'DOCKER_CONFIGS.SWARM_REGISTRY',
    'https://registry.example.org',
    'host[:port][/path], without https:// and in small letters',
  ),
  wrong('DOCKER_CONFIGS.SWARM_CONSTRAINTS[0]', 'worker', 'a constraint of Docker, like node.role==worker'),
  [{ DOCKER_CONFIGS: { socketPath: '/x', host: 'localhost' } }, `DOCKER_CONFIGS.socketPath ${oneWay}`],
  wrong('CUSTOM', 1, 'an object'),
  unknown('MODES.keyword', 'warn', 'did you mean keywords?'),
  wrong('MODES.veto', 'off', '"enforce" or "warn"'),
  wrong('MODES', ['veto'], 'an object'),
  ...['toolchain', 'limits', 'capacity'].map(
    (rule): Row => [{ MODES: { [rule]: 'warn' } }, `MODES.${rule} ${enforced}`],
  ),
  wrong('ALLOWED_STORAGE[0]', 'github.com:443', hostName),
  wrong('ALLOWED_STORAGE[0]', '*.github.com', hostName),
  [{ PRICING: { '': {} } }, 'PRICING[""] is {}; allowed is an asset\'s name of 1 to 32 characters'],
  wrong('PRICING.kly.GIB_HOUR', '1e3', amount),
  wrong('DORMITORY.MAX', -1, 'a whole number from 0 to 1000000'),
  unknown('DORMITORY.TTL', 5, 'known keys are MAX and TTL_SECONDS'),
])

it("a runner's config.json: shows both spellings of an address that can be read as two keys", () => {
  const ambiguous = findAmbiguous()
  const sentence = sentenceOf(() => readPolicy({ TRUSTED_HUBS: { [ambiguous]: {} } }))
  expect(sentence).toContain(`write ed25519:${ambiguous} or legacy:${ambiguous}`)
  expect(sentenceOf(() => readPolicy({ TRUSTED_HUBS: { [`legacy:${ambiguous}`]: {} } }))).toBe('was accepted')
})

/** A legacy text that is another valid key as well: hashes are tried in order until one is. */
function findAmbiguous(): string {
  for (let number = 0; ; number++) {
    const address: Address = { type: 'ed25519', key: sha256(Uint8Array.of(number >> 8, number & 255)) }
    if (!isValidKey(address)) continue
    const text = formatLegacy(address).slice('legacy:'.length)
    const key = base58btc.baseDecode(text)
    if (isValidKey({ type: 'ed25519', key: key.byteLength === 32 ? key : new Uint8Array(32) })) return text
  }
}

const good = { name: 'web', toolchain: ['node'], run: { command: ['node', 'x.js'] } }
const inManifest = (path: string, value: unknown, allowed: string) => wrong(path, value, allowed, good)
const run = (extra: object) => ({ ...good, run: { ...good.run, ...extra } })
const named = 'up to 64 lower-case letters, digits, ".", "_" and "-", beginning with a letter or digit'
const kinds = 'an object with "type": "mesh", "git", "registry", "https" or "oci"'
const ends = 'which contradicts run.kind "task": a task ends; "on-failure" and "never" are allowed'
const git = { ...good, sources: [{ type: 'git', url: 'https://x.org/y' }] }
const twice = [1, 2].map((port) => ({ name: 'a', port }))

refuses('manifest', parseManifest, [
  [{ toolchain: [], run: { command: ['x'] } }, `name is missing; allowed is ${named}`],
  unknown('keyword', ['a'], 'did you mean keywords?', good),
  [{ ...good, run: undefined, runn: {} }, 'runn ({}) is not a known key; did you mean run?'],
  [{ name: 'web', toolchain: [] }, 'run is missing; allowed is an object'],
  inManifest('run.command', 'node x.js', 'a list of 1 to 64 texts: the program and its arguments'),
  inManifest('run.command[0]', 'a\0b', 'text without a zero byte'),
  inManifest('run.workdir', '../x', 'a relative path without ".." or "\\"'),
  [run({ env: { '1A': 'x' } }), 'run.env.1A is no name for an environment variable'],
  inManifest('run.env.A', 1, 'text of at most 2048 bytes'),
  inManifest('run.kind', 'daemon', '"task" or "service"'),
  [run({ kind: 'task', restart: 'always' }), `run.restart is "always", ${ends}`],
  [run({ ports: [{ name: 'http', port: 0 }] }), 'run.ports[0].port is 0; allowed is a whole number from 1 to 65535'],
  [run({ ports: twice }), 'run.ports[1].name is "a", which another port has too'],
  [run({ check: { command: ['x'] } }), 'run.check is for services: set run.kind to "service"'],
  [
    run({ kind: 'task', check: { command: ['x'] } }),
    'run.check is for services: a task is done when it ends with exit code 0',
  ],
  [
    run({ kind: 'service', check: { http: { port: 'http', path: '/' } } }),
    'run.check.http.port must be the name of one of run.ports',
  ],
  inManifest('run.check', { tcp: 80 }, 'an object with "http": { "port", "path" }, or with "command"'),
  [
    run({ check: { http: { port: 'http', path: 'health' } } }),
    'run.check.http.path is "health"; allowed is a path that begins with "/", like "/health"',
  ],
  inManifest('expires', '31d', `${time} 2592000 seconds`),
  [{ ...good, code: 'x', dir: 'y' }, 'code contradicts dir: the code is there already, or in a folder; keep one'],
  inManifest('code', 'Qm123', 'the content id of an archive (bafy... or bafk...)'),
  inManifest('sources[0].type', 'ftp', kinds),
  [git, 'sources[0].commit is missing; allowed is a whole commit id (40 or 64 hex digits)'],
  inManifest('resources.memory', 0, `${size} 1`),
  inManifest('network[0]', 'https://x', target),
  inManifest('network[0]', 'service:other', target),
  [{ ...good, symbiotes: ['abc'] }, `symbiotes[0] is no usable address: "abc" ${address}`],
  inManifest('depth', 9, 'a whole number from 0 to 8'),
  [{ ...good, reward: { asset: 'KLY', perHour: 'much' } }, `reward.perHour is "much"; allowed is ${amount}`],
])

it('a manifest: is an object', () => {
  expect(sentenceOf(() => parseManifest('text'))).toBe('manifest is "text"; allowed is an object')
})
