import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, it } from 'vitest'
import { type Address, formatLegacy, isValidKey } from '../../../protocols/address.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { nodeSchema } from '../../../src/config/files/node-schema.ts'
import { servicesSchema } from '../../../src/config/files/services-schema.ts'
import { readPolicy } from '../../../src/config/index.ts'
import { check } from '../../../src/config/settings-error.ts'
import { sentenceOf } from '../../fixtures/config/folder.ts'

const HUB = 'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq'
const SAME_HUB = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'

describe('node.json', () => {
  it.each<[unknown, string]>([
    [{ LISTN: ['x'] }, 'LISTN (["x"]) is not a known key; did you mean LISTEN?'],
    [{ listen: [] }, 'listen ([]) is not a known key; did you mean LISTEN?'],
    [
      { QUOTAS: { QUEUE: 5 } },
      'QUOTAS.QUEUE (5) is not a known key; known keys are SERVICES_PER_AUTHOR, NEW_PER_AUTHOR_PER_MINUTE, NEW_AUTHORS_PER_PEER_PER_MINUTE, SYNC_PULLS_PER_PEER_PER_MINUTE, JOURNAL_MAX_SERVICES, QUEUE_MAX, MISSED_MAX, CODE_STORE and LOGS',
    ],
    [
      { NETWORK: 'My Net' },
      'NETWORK is "My Net"; allowed is up to 32 lower-case letters, digits and "-", not beginning with "-"',
    ],
    [{ NETWORK: null }, 'NETWORK is null; allowed is a network name'],
    [{ VISIBILITY: 'hidden' }, 'VISIBILITY is "hidden"; allowed is "public" or "private"'],
    [{ LISTEN: '/ip4/0.0.0.0/tcp/1' }, 'LISTEN is "/ip4/0.0.0.0/tcp/1"; allowed is a list of at most 16 entries'],
    [
      { LISTEN: ['/ip4/0.0.0.0/udp/1'] },
      'LISTEN[0] is "/ip4/0.0.0.0/udp/1"; allowed is a multiaddr like "/ip4/0.0.0.0/tcp/4980"',
    ],
    [
      { ANNOUNCE: ['node.example.org:80'] },
      'ANNOUNCE[0] is "node.example.org:80"; allowed is a multiaddr like "/dns4/node.example.org/tcp/4980"',
    ],
    [{ API: '127.0.0.1' }, 'API is "127.0.0.1"; allowed is false, or host:port like "127.0.0.1:4981"'],
    [{ API: '127.0.0.1:70000' }, 'API is "127.0.0.1:70000"; allowed is false, or host:port like "127.0.0.1:4981"'],
    [{ API: true }, 'API is true; allowed is false, or host:port like "127.0.0.1:4981"'],
    [{ DATA: '' }, 'DATA is ""; allowed is the path of a folder'],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL is "loud"; allowed is one of "silent", "error", "warn", "info", "debug" or "trace"',
    ],
    [{ QUOTAS: { QUEUE_MAX: 1.5 } }, 'QUOTAS.QUEUE_MAX is 1.5; allowed is a whole number from 1 to 1000000'],
    [
      { QUOTAS: { CODE_STORE: 'lots' } },
      'QUOTAS.CODE_STORE is "lots"; allowed is a size like 268435456 or "256MiB", at least 1048576',
    ],
    [
      { TIMEOUTS: { VERDICT: '5m' } },
      'TIMEOUTS.VERDICT is "5m"; allowed is a time like 90, "15m", "24h" or "7d", from 1 to 60 seconds',
    ],
  ])('%j', (raw, sentence) => {
    expect(sentenceOf(() => check(nodeSchema, raw, 'node.json'))).toBe(`node.json: ${sentence}`)
  })

  it('is an object', () => {
    expect(sentenceOf(() => check(nodeSchema, [], 'node.json'))).toBe('node.json is []; allowed is an object')
  })

  it('clips long values and makes them safe for a terminal', () => {
    const sentence = sentenceOf(() => check(nodeSchema, { NETWORK: `\u001b[31m${'x'.repeat(500)}` }, 'node.json'))
    expect(sentence).toHaveLength(
      'node.json: NETWORK is ; allowed is up to 32 lower-case letters, digits and "-", not beginning with "-"'.length +
        80,
    )
    expect(sentence).not.toContain('\u001b')
  })
})

describe('services.json', () => {
  const id = `bafy${'a'.repeat(55)}`
  it.each<[unknown, string]>([
    [{ SERVICES: { web: {} } }, 'SERVICES.web needs DIR or MANIFEST'],
    [{ SERVICES: { web: { DIR: 'a', MANIFEST: 'b' } } }, 'SERVICES.web has both DIR and MANIFEST; keep one of them'],
    [
      { SERVICES: { 'My Web': { DIR: 'a' } } },
      'SERVICES["My Web"] is no name for a service: it must be lower-case letters, digits, ".", "_" or "-", beginning with a letter or digit',
    ],
    [{ SERVICES: { web: 'a' } }, 'SERVICES.web is "a"; allowed is an object'],
    [
      { SERVICES: { web: { DIR: 'a', PUBLSH: true } } },
      'SERVICES.web.PUBLSH (true) is not a known key; did you mean PUBLISH?',
    ],
    [{ EXTERNAL_SERVICES: { bafyshort: {} } }, 'EXTERNAL_SERVICES.bafyshort is no service id (bafy..., 59 characters)'],
    [
      { EXTERNAL_SERVICES: { [id]: { FROM: 1 } } },
      `EXTERNAL_SERVICES.${id}.FROM is 1; allowed is a multiaddr or an HTTP(S) origin`,
    ],
    [
      { RUNNER: '../evil.js' },
      'RUNNER is "../evil.js"; allowed is the path of a .js, .mjs, .ts or .mts file below the runners folder',
    ],
    [
      { RUNNER: '/etc/runner.js' },
      'RUNNER is "/etc/runner.js"; allowed is the path of a .js, .mjs, .ts or .mts file below the runners folder',
    ],
    [{ RUNNER_NETWORK: 'yes' }, 'RUNNER_NETWORK is "yes"; allowed is true or false'],
  ])('%j', (raw, sentence) => {
    expect(sentenceOf(() => check(servicesSchema, raw, 'services.json'))).toBe(`services.json: ${sentence}`)
  })
})

describe("a runner's config.json", () => {
  const address = 'is not an ed25519 (base58) or BLS12-381 (base58 or 0x hex) address'
  const hostName = 'allowed is a host name like "github.com"'
  const amount = 'allowed is an amount like 10 or "0.25"'
  it.each<[unknown, string]>([
    [{ KEYWORD: [] }, 'KEYWORD ([]) is not a known key; did you mean KEYWORDS?'],
    [{ REDIRECTION_DEPTH: 9 }, 'REDIRECTION_DEPTH is 9; allowed is a whole number from 0 to 8'],
    [{ DESC_MAX_LEN: '200' }, 'DESC_MAX_LEN is "200"; allowed is a whole number from 0 to 4097'],
    [
      { STATIC_NODES: ['somewhere'] },
      'STATIC_NODES[0] is "somewhere"; allowed is a multiaddr like "/ip4/192.0.2.7/tcp/4980/p2p/12D3KooW..." or an origin like "https://node.example.org"',
    ],
    [{ TRUSTED_HUBS: { abc: {} } }, `TRUSTED_HUBS.abc is no usable address: "abc" ${address}`],
    [
      { TRUSTED_HUBS: { [HUB]: {}, [SAME_HUB]: {} } },
      `TRUSTED_HUBS.${SAME_HUB} is another spelling of ${HUB}, which is listed too; keep one of them`,
    ],
    [{ TRUSTED_HUBS: { [HUB]: { THRESHOLD: 2 } } }, `TRUSTED_HUBS.${HUB}.THRESHOLD is 2, but MEMBERS is missing`],
    [{ QUORUM: { HUBS: 2 } }, 'QUORUM.HUBS is 2, but TRUSTED_HUBS names 0: it could never be met'],
    [
      { QUORUM: { WEIGHT: 5 }, TRUSTED_HUBS: { [HUB]: { WEIGHT: 4 } } },
      'QUORUM.WEIGHT is 5, but all TRUSTED_HUBS together weigh 4: it could never be met',
    ],
    [{ QUORUM: { HUBS: 0 } }, 'QUORUM.HUBS is 0; allowed is a whole number from 1 to 1000'],
    [
      { TRUST_TREE: { ROOTS: { [HUB]: { DEPTH: -1 } } } },
      `TRUST_TREE.ROOTS.${HUB}.DEPTH is -1; allowed is a whole number from 0 to 16`,
    ],
    [
      { PREFER_TOOLCHAIN: { docker: 'rust' } },
      'PREFER_TOOLCHAIN.docker is "rust"; allowed is a list of at most 32 entries',
    ],
    [
      { NETCAP: { ALLOW: ['a.org:443'] } },
      'NETCAP.ALLOW contradicts MODE "none", which grants no network; set MODE to "allowlist" or remove ALLOW',
    ],
    [
      { NETCAP: { MODE: 'allowlist', ALLOW: ['a.org'] } },
      'NETCAP.ALLOW[0] is "a.org"; allowed is host:port in lower case like "api.github.com:443" or "*.example.org:443"',
    ],
    [{ PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: -1 } } }, `PREFER_HOSTCHAINS.btc.MIN_FREEZE is -1; ${amount}`],
    [{ ALLOWED_STORAGE: ['https://github.com'] }, `ALLOWED_STORAGE[0] is "https://github.com"; ${hostName}`],
    [
      { REGISTRIES: { RUST: ['crates.io'] } },
      'REGISTRIES.RUST[0] is "crates.io"; allowed is an http(s) address like "https://localhost:4873"',
    ],
    [
      { REGISTRIES: { NODE: [], 'node.js': [] } },
      'REGISTRIES["node.js"] is another name for NODE.JS, which is listed too; keep one of them',
    ],
    [
      { CONTAINERS: ['group1'] },
      'CONTAINERS[0] must be <group>-<owner address>-<toolchains joined by dots>, like "web-7LK...-node.python"',
    ],
    [{ CONTAINERS: ['group1-abc-node'] }, `CONTAINERS[0] names no usable owner: "abc" ${address}`],
    [{ REDIRECT: 'maybe' }, 'REDIRECT is "maybe"; allowed is one of "unless-run", "always" or "never"'],
    [
      { LIMITS: { TOTAL: { MEMORY: '1GiB' }, SERVICE: { MEMORY: '2GiB' } } },
      'LIMITS.SERVICE.MEMORY contradicts TOTAL.MEMORY: one service would get 2147483648, all together 1073741824',
    ],
    [
      { LIMITS: { TOTAL: { CPU: 'two' } } },
      'LIMITS.TOTAL.CPU is "two"; allowed is thousandths of a core like 500, or cores as text like "0.5"',
    ],
    [
      { LIMITS: { MEMORY: 1 } },
      'LIMITS.MEMORY (1) is not a known key; known keys are TOTAL, SERVICE, EVICT and HEALTHY_SECONDS',
    ],
    [
      { DOCKER_CONFIGS: { host: 'engine.example.org', port: 2375 } },
      'DOCKER_CONFIGS.host is not this machine, and plain TCP gives everyone on the way full control of the engine; use protocol "https" with ca, cert and key',
    ],
    [
      { DOCKER_CONFIGS: { host: 'engine.example.org', protocol: 'https' } },
      'DOCKER_CONFIGS.protocol is "https", which needs all of ca, cert and key',
    ],
    [
      { DOCKER_CONFIGS: { port: 2375 } },
      'DOCKER_CONFIGS.host is missing; port and protocol say how to reach a host, so name it',
    ],
    [
      { DOCKER_CONFIGS: { socketPath: '/x', host: 'localhost' } },
      'DOCKER_CONFIGS.socketPath contradicts host, port and protocol: an engine is reached one way; keep one of the two',
    ],
    [{ CUSTOM: 1 }, 'CUSTOM is 1; allowed is an object'],
    [{ MODES: { keyword: 'warn' } }, 'MODES.keyword ("warn") is not a known key; did you mean keywords?'],
    [{ MODES: { veto: 'off' } }, 'MODES.veto is "off"; allowed is "enforce" or "warn"'],
    [{ MODES: ['veto'] }, 'MODES is ["veto"]; allowed is an object'],
    ...['toolchain', 'limits', 'capacity'].map((rule): [unknown, string] => [
      { MODES: { [rule]: 'warn' } },
      `MODES.${rule} is "warn", but this rule can only enforce: what it refuses could not run here anyway`,
    ]),
    [{ ALLOWED_STORAGE: ['github.com:443'] }, `ALLOWED_STORAGE[0] is "github.com:443"; ${hostName}`],
    [{ ALLOWED_STORAGE: ['*.github.com'] }, `ALLOWED_STORAGE[0] is "*.github.com"; ${hostName}`],
    [{ PRICING: { '': {} } }, 'PRICING[""] is {}; allowed is an asset\'s name of 1 to 32 characters'],
    [{ PRICING: { kly: { GIB_HOUR: '1e3' } } }, `PRICING.kly.GIB_HOUR is "1e3"; ${amount}`],
    [{ DORMITORY: { MAX: -1 } }, 'DORMITORY.MAX is -1; allowed is a whole number from 0 to 1000000'],
    [{ DORMITORY: { TTL: 5 } }, 'DORMITORY.TTL (5) is not a known key; known keys are MAX and TTL_SECONDS'],
  ])('%j', (raw, sentence) => {
    expect(sentenceOf(() => readPolicy(raw))).toBe(`config.json: ${sentence}`)
  })

  it('shows both spellings of an address that can be read as two keys', () => {
    const ambiguous = findAmbiguous()
    const sentence = sentenceOf(() => readPolicy({ TRUSTED_HUBS: { [ambiguous]: {} } }))
    expect(sentence).toContain(`write ed25519:${ambiguous} or legacy:${ambiguous}`)
    expect(sentenceOf(() => readPolicy({ TRUSTED_HUBS: { [`legacy:${ambiguous}`]: {} } }))).toBe('was accepted')
  })
})

/** A legacy text that is another valid key as well: hashes are tried in order until one is. */
function findAmbiguous(): string {
  for (let number = 0; ; number++) {
    const address: Address = { type: 'ed25519', key: sha256(Uint8Array.of(number >> 8, number & 255)) }
    if (!isValidKey(address)) continue
    const text = formatLegacy(address).slice('legacy:'.length)
    if (isValidKey({ type: 'ed25519', key: bytesOf(text) })) return text
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = base58btc.baseDecode(text)
  return bytes.byteLength === 32 ? bytes : new Uint8Array(32)
}
