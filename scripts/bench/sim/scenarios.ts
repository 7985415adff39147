import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import type { Scenario } from '../../../src/simulation/scenario/scenario.ts'

const of = (raw: object) => wholeScenario(raw, { file: 'bench', folder: '.' })
const publish = { at: 0, do: 'publish' }

/** One service, links that lose nothing, one policy. */
export function plain(nodes: number): Promise<Scenario> {
  return of({
    title: 'one service, plain',
    nodes,
    seconds: 30,
    groups: [{ name: 'willing', share: 1, policy: { REDIRECT: 'always' } }],
    topology: { kind: 'random-regular', degree: 8 },
    instructions: [publish],
  })
}

const REGIONS = ['europe', 'america', 'asia', 'africa']
const MATRIX = [
  [12, 45, 90, 60],
  [45, 15, 80, 100],
  [90, 80, 20, 110],
  [60, 100, 110, 30],
]

/** One service where everything is in its way. Nodes have more neighbours than fit into their mesh, so they advertise. */
export function hard(nodes: number): Promise<Scenario> {
  const policies = [
    { REDIRECT: 'always' },
    { REDIRECT: 'always', REDIRECTION_DEPTH: 6 },
    { REDIRECT: 'always', KEYWORDS: ['weather'] },
    { REDIRECT: 'always', TRUST_TREE: { ROOTS: {} } },
    { REDIRECT: 'always', PREFER_TOOLCHAIN: { host: [], docker: [] } },
    { REDIRECT: 'always', LIMITS: {} },
    { REDIRECT: 'unless-run' },
    { REDIRECT: 'unless-run', KEYWORDS: ['music'] },
    { REDIRECT: 'never' },
    { REDIRECT: 'always', DESC_MAX_LEN: 10 },
  ]
  return of({
    title: 'one service, everything in its way',
    nodes,
    seconds: 30,
    groups: policies.map((policy, index) => ({ name: `group-${index}`, share: 0.1, policy })),
    topology: { kind: 'regions', degree: 10, local: 0.6 },
    links: {
      latencyMs: { regions: REGIONS, matrix: MATRIX },
      jitterMs: 5,
      loss: 0.01,
      drop: 0.01,
      bytesPerSecond: 1_000_000,
    },
    churn: { sharePerMinute: 0.02 },
    instructions: [publish],
  })
}

/** Many services, each with Andromeda's verdict at each node, which depends on what runs there. */
export function busy(nodes: number, services: number): Promise<Scenario> {
  return of({
    title: 'many services',
    nodes,
    seconds: 120,
    groups: [
      { name: 'willing', share: 0.5, policy: { REDIRECT: 'always', LIMITS: { TOTAL: ROOM } } },
      { name: 'picky', share: 0.3, policy: { KEYWORDS: ['weather'] } },
      { name: 'silent', share: 0.2, policy: { REDIRECT: 'never' } },
    ],
    topology: { kind: 'random-regular', degree: 8 },
    instructions: [
      { ...publish, count: services, replicas: 100, arrival: { kind: 'rate', everySeconds: 1 }, keywords: ['weather'] },
    ],
  })
}

/** For two runs. */
const ROOM = { MEMORY: '128MiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 2 }
