import { type RunnerConfig, readPolicy } from '../../../src/config/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../src/runner/index.ts'

const OWN = 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9'
const STRANGER = '9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu'
const HUBS = [
  'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV',
  '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hopvWJJRSW4qrXTKWFq5ExSpm',
  '63dMQGT8u5BvsAE7UniDSbBDmK6igBvcwSVHotaQ6938eMRYPbZSHwAYTgQcACQ2KK',
]
const SYMBIOTE = 'legacy:QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK'
/** Its canonical text. */
const SYMBIOTE_TEXT = Object.keys(
  readPolicy({ PREFER_SYMBIOTES: { [SYMBIOTE]: {} } }).policy.config.PREFER_SYMBIOTES,
)[0] as string
const NOW = 1_700_000_100
const MIB = 1024 ** 2

/** The seed's sample, with everything that it leaves empty filled in. */
export function benchConfig(): RunnerConfig {
  return readPolicy({
    DESC_MAX_LEN: 200,
    REDIRECTION_DEPTH: 3,
    TRUSTED_HUBS: Object.fromEntries(HUBS.map((hub, index) => [hub, { WEIGHT: index + 1 }])),
    QUORUM: { HUBS: 3, WEIGHT: 6 },
    TRUST_TREE: { ROOTS: { [HUBS[0] as string]: { DEPTH: 2 } } },
    PREFER_TOOLCHAIN: { docker: ['rust', 'node.js', 'c', 'c++'], host: ['rust', 'node.js', 'c', 'c++'] },
    KEYWORDS: ['web3', 'defi', 'bridge', 'tor', 'control', 'storage', 'api'],
    NETCAP: { MODE: 'allowlist', ALLOW: ['api.github.com:443', '*.example.org:443'], RATE_KBPS: 8000, PORTS: [443] },
    PREFER_SYMBIOTES: { [SYMBIOTE]: { MIN_FREEZE: '1000.5' } },
    PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: '0.25' }, algo: {}, sol: {} },
    ALLOWED_STORAGE: ['github.com', 'gitlab.com', 'pkg.go.dev', 'crates.io', 'npmjs.com', 'rubygems.org'],
    REGISTRIES: { 'NODE.JS': ['https://localhost:4873'], DOCKER: ['https://localhost:5000'] },
    CONTAINERS: [
      'group1-WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq-node',
      'group1-JeVZcdi8TQZaX6TKhtSKLCzMQMRCx5JjsQTiGbAaLPXW-rust.node.go.python',
    ],
    PRICING: { kly: { GIB_HOUR: '0.1', CORE_HOUR: '0.04' }, usd: { GIB_HOUR: '0.002', CORE_HOUR: '0.01' } },
    LIMITS: { TOTAL: { MEMORY: '2GiB', CPU: '2', DISK: '10GiB', PIDS: 1024, RUNS: 16 }, EVICT: true },
  }).policy.config
}

export function benchService(index: number): ReceivedService {
  return {
    id: `bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqq${String(index).padStart(6, 'a')}`,
    author: STRANGER,
    name: `service-${index}`,
    seq: 1,
    title: `Service ${index}`,
    desc: 'keeps what people hand to it, and gives it back when they ask '.repeat(1 + (index % 3)),
    keywords: ['games', 'Storage', 'API'],
    toolchain: ['docker', 'node'],
    symbiotes: [SYMBIOTE_TEXT],
    hostchains: ['BTC', 'sol'],
    issued: NOW - 100,
    expires: NOW + 86_400,
    code: 'bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm',
    sources: [
      { type: 'https', url: 'https://downloads.example.com/code.tgz' },
      { type: 'git', url: 'https://codeload.github.com/a/b', commit: 'a'.repeat(40) },
    ],
    run: { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind: 'service' },
    resources: { memory: 64 * MIB, disk: 16 * MIB, cpu: 100, pids: 16 },
    network: ['api.github.com:443', 'cdn.example.org:443'],
    replicas: 2,
    reward: { asset: 'kly', perHour: `0.${100 + (index % 900)}` },
    replyTo: [],
    sizeBytes: 900,
  }
}

/** The node keeps what it knows of each run; the list is new each time. */
const RUNNING = Array.from({ length: 8 }, (_, index) => ({
  id: `bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqrun${String(index).padStart(3, 'a')}`,
  author: STRANGER,
  name: `running-${index}`,
  rank: 10 * index,
  own: index === 0,
  memory: 128 * MIB,
  disk: 16 * MIB,
  cpu: 100,
  pids: 16,
  executor: 'docker' as const,
}))

/** All that a full node knows about such a service: what the runner gets is new each time, but for the configuration. */
export function benchSnapshot(config: RunnerConfig): RunnerSnapshot {
  return {
    config,
    own: OWN,
    capacity: {
      memoryBytes: 0,
      cpuMillicores: 400,
      diskBytes: 1024 * MIB,
      pids: 100,
      runs: 8,
      executors: [
        { name: 'docker', networks: ['allowlist', 'open'] },
        { name: 'host', networks: ['allowlist'] },
      ],
    },
    running: [...RUNNING],
    depth: 3,
    attestations: Object.keys(config.TRUSTED_HUBS).map((hub) => ({
      hub,
      verdict: 'safe',
      issued: NOW - 3600,
      expires: NOW + 3600,
    })),
    quorum: { hubs: 3, weight: 6, met: true },
    inTree: false,
    frozen: [
      { hub: HUBS[0] as string, chain: 'btc', amount: '0.5' },
      { hub: HUBS[0] as string, chain: SYMBIOTE_TEXT, amount: '1000.5' },
    ],
    value: { asset: 'kly', amount: '2.4' },
    now: NOW,
  }
}
