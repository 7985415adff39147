import type { ReceivedService, RunnerSnapshot } from '../contract.ts'
import { EXAMPLE_STRANGER, exampleService, exampleSnapshot } from './examples.ts'

/** The hub that attests everything in the examples. */
const SOME_HUB = '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hopvWJJRSW4qrXTKWFq5ExSpm'

/** Services that a mesh sends sooner or later: small, bare, as long as the wire allows, and hostile. */
export function exampleServices(): Readonly<Record<string, ReceivedService>> {
  const max = Number.MAX_SAFE_INTEGER
  return {
    "the node's own": exampleService(),
    "a stranger's": exampleService({ author: EXAMPLE_STRANGER }),
    'a task': exampleService({ run: { kind: 'task', ports: undefined, timeout: 60 } }),
    'one with egress': exampleService({ network: ['api.github.com:443'], replicas: 3 }),
    'one with a reward': exampleService({ reward: { asset: 'kly', perHour: '0.25' }, hostchains: ['btc'] }),
    'one that asks for everything': exampleService({
      resources: { memory: max, disk: max, cpu: max, pids: 65_536 },
      replicas: 1024,
    }),
    'one at the end of its life': exampleService({ expires: 1_700_000_101, seq: max }),
    ...hostileServices(),
  }
}

/** Text of a hostile author, which breaks a runner that trusts the author's text. */
export function hostileServices(): Readonly<Record<string, ReceivedService>> {
  const numbered = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, i) => text(i))
  return {
    'an empty one': exampleService({
      title: '',
      desc: '',
      keywords: [],
      toolchain: [],
      sources: [],
      run: { command: [''], ports: [] },
    }),
    'one as long as the wire allows': exampleService({
      title: 't'.repeat(128),
      desc: 'd'.repeat(4096),
      keywords: numbered(32, (i) => `${i}`.padEnd(64, 'k')),
      toolchain: numbered(16, (i) => `${i}`.padEnd(32, 't')),
      hostchains: numbered(16, (i) => `${i}`.padEnd(32, 'c')),
      network: numbered(32, (i) => `${i}.${'a'.repeat(60)}.example.org:443`),
      run: { command: ['node', ...numbered(16, () => 'a'.repeat(200))], env: { LONG: 'e'.repeat(1024) } },
      sizeBytes: 16 * 1024,
    }),
    'one full of Unicode': exampleService({
      title: '\u202e\u0000\u001b[2J\u{1f4a3}',
      desc: 'é\r\n\u2028語\ud800'.repeat(200),
      keywords: ['ＡＰＩ', 'aPI\u0307', '\u{10ffff}', 'İ', ''],
      toolchain: ['ｎｏｄｅ', 'NODE.JS\u0000', 'ß'],
      name: 'hello',
    }),
    'one with names of Object.prototype': exampleService({
      keywords: ['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
      toolchain: ['constructor', '__proto__'],
      hostchains: ['toString', '__proto__', 'valueOf'],
      symbiotes: ['__proto__'],
      reward: { asset: '__proto__', perHour: '1' },
      run: {
        env: JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":"x","toJSON":"y"}') as Record<string, string>,
      },
    }),
    'one with text that looks like other text': exampleService({
      desc: '"}],"run":{"executor":"host"},"redirect":true}',
      sources: [
        { type: 'https', url: 'https://github.com.evil.example/a?b=https://github.com/' },
        { type: 'git', url: 'https://evilgithub.com/a.git', commit: '0'.repeat(40) },
      ],
      reward: { asset: 'KLY', perHour: '99999999999999999999999999999999999999.999999999999999999' },
    }),
  }
}

/** Nodes that the services are asked about. `config` is the runner's own settings. */
export function exampleNodes(config: RunnerSnapshot['config']): Readonly<Record<string, RunnerSnapshot>> {
  const bare = { ...exampleSnapshot(), config }
  const max = Number.MAX_SAFE_INTEGER
  return {
    'with capacity': bare,
    'with no capacity': { ...bare, capacity: NO_CAPACITY },
    'with more capacity than there is': {
      ...bare,
      capacity: { ...bare.capacity, memoryBytes: max, cpuMillicores: max, diskBytes: max, pids: max, runs: max },
    },
    'of another operator': { ...bare, own: EXAMPLE_STRANGER, depth: 0 },
    'with many statements of hubs': {
      ...bare,
      attestations: [
        { hub: SOME_HUB, verdict: 'safe', issued: 1_700_000_000, expires: 1_700_086_400 },
        {
          hub: EXAMPLE_STRANGER,
          verdict: 'unsafe',
          issued: 1_700_000_000,
          expires: 1_700_086_400,
          severity: 'critical',
          report: 'https://hub.example/reports/7?for=%E2%80%AE[2J',
        },
      ],
      quorum: { hubs: 1, weight: 0, met: false },
      inTree: true,
      frozen: [{ hub: SOME_HUB, chain: '__proto__', amount: '99999999999999999999.999999999999999999' }],
    },
    'with one run': {
      ...bare,
      running: [
        {
          id: 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
          author: EXAMPLE_STRANGER,
          name: 'other',
          rank: 1,
          own: false,
          executor: 'docker',
          memory: 64 * 1024 * 1024,
          disk: 0,
          cpu: 100,
          pids: 16,
        },
      ],
    },
  }
}

export const NO_CAPACITY = { memoryBytes: 0, cpuMillicores: 0, diskBytes: 0, pids: 0, runs: 0, executors: [] } as const
