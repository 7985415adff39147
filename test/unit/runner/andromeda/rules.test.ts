import { expect, it } from 'vitest'
import { containers } from '../../../../src/runner/andromeda/rules/containers.ts'
import { descLength } from '../../../../src/runner/andromeda/rules/desc-length.ts'
import { keywords } from '../../../../src/runner/andromeda/rules/keywords.ts'
import { limits } from '../../../../src/runner/andromeda/rules/limits.ts'
import { redirection } from '../../../../src/runner/andromeda/rules/redirection.ts'
import { toolchain } from '../../../../src/runner/andromeda/rules/toolchain.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'
import { defers, fails, passes, table } from './table.ts'

table(descLength, [
  passes('199 of 200', { service: { desc: 'x'.repeat(199) } }),
  fails('exactly 200 of 200', {
    service: { desc: 'x'.repeat(200) },
    message: 'desc has 200 characters, DESC_MAX_LEN allows fewer than 200',
    needs: ['desc.length', 'at-most', '199'],
  }),
  passes('an empty one', { settings: { DESC_MAX_LEN: 1 }, service: { desc: '' } }),
  fails('nothing is short enough', {
    settings: { DESC_MAX_LEN: 0 },
    service: { desc: '' },
    message: /no description helps$/,
  }),
])

const SEED = 'api, bridge, control, defi, storage, tor, web3'

table(keywords, [
  passes('another case', { service: { keywords: ['x', 'DeFi'] }, message: 'the keyword "DeFi" is of interest' }),
  passes('another case in the settings', { settings: { KEYWORDS: ['API'] }, service: { keywords: ['aPi'] } }),
  fails('none matches', {
    service: { keywords: ['games', 'apis'] },
    message: `none of the keywords is of interest; KEYWORDS are ${SEED}`,
    needs: ['keywords', 'one-of', SEED],
  }),
  fails('no keywords', { service: { keywords: [] }, message: /^the service has no keywords;/ }),
  passes('no interests', { settings: { KEYWORDS: [] }, service: { keywords: [] } }),
  fails('more interests than a receipt holds', {
    settings: { KEYWORDS: Array.from({ length: 20 }, (_, index) => `k${index + 10}`) },
    message: /and 12 more$/,
    needs: ['keywords', 'one-of', 'k10, k11, k12, k13, k14, k15, k16, k17'],
  }),
])

const limited = (SERVICE: object) => ({
  LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 4 }, SERVICE },
})

table(limits, [
  passes('exactly the limit', { settings: limited({ MEMORY: '64MiB', CPU: 100, DISK: '1MiB', PIDS: 16 }) }),
  fails('too much memory', {
    settings: limited({ MEMORY: '32MiB' }),
    message: 'asks for 64 MiB of memory, LIMITS.SERVICE.MEMORY allows 32 MiB of memory',
    needs: ['resources.memory', 'at-most', String(32 * 1024 ** 2)],
  }),
  fails('too much cpu', { settings: limited({ CPU: 99 }), needs: ['resources.cpu', 'at-most', '99'] }),
  fails('too much disk', { settings: limited({ DISK: 0 }), needs: ['resources.disk', 'at-most', '0'] }),
  fails('too many processes', {
    settings: limited({ PIDS: 1 }),
    message: 'asks for 16 processes, LIMITS.SERVICE.PIDS allows 1 process',
  }),
  fails('too much of all', { settings: limited({ MEMORY: 1, CPU: 1, DISK: 1, PIDS: 1 }), reasons: 4 }),
  passes('a run that would like more time', { settings: limited({ TIMEOUT: 1 }) }),
  fails('the default gives nothing', {
    settings: { LIMITS: {} },
    message: /0 B of memory: every service asks for some, so nothing runs here$/,
  }),
  fails('no runs', {
    settings: { LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 0 } } },
    message: 'LIMITS.TOTAL.RUNS is 0: nothing runs here',
  }),
])

/** The seed's first container has this owner, in an older spelling. */
const OWNER = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'
const CONTAINERS = [
  'group1-WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq-node',
  'group1-JeVZcdi8TQZaX6TKhtSKLCzMQMRCx5JjsQTiGbAaLPXW-rust.node.go.python',
  `wide-ed25519:${OWNER}-node.js.Golang`,
]

const LARGE = { memoryBytes: 2 ** 40, cpuMillicores: 8000, pids: 1000 }
/** The node has these of them. */
const having = (...made: number[]) => ({
  capacity: {
    ...snapshotOf().capacity,
    executors: [{ name: 'pool' as const, pools: made.map((index) => ({ name: CONTAINERS[index] ?? '', ...LARGE })) }],
  },
})

table(containers, [
  passes('none', { message: 'CONTAINERS is empty' }),
  passes('of others', {
    settings: { CONTAINERS },
    node: having(0, 1, 2),
    message: 'no pool belongs to the author',
  }),
  passes('in any spelling of its owner', {
    settings: { CONTAINERS },
    service: { author: OWNER },
    node: having(0, 1, 2),
    message: `it runs in the pool ${CONTAINERS[0]}`,
  }),
  passes('all its toolchains', {
    settings: { CONTAINERS },
    service: { author: OWNER, toolchain: ['docker', 'node', 'go'] },
    node: having(0, 1, 2),
    message: `it runs in the pool ${CONTAINERS[2]}`,
  }),
  passes('not all of them', {
    settings: { CONTAINERS },
    service: { author: OWNER, toolchain: ['node', 'rust'] },
    message: "no pool of the author's has all its toolchains",
  }),
  passes('that nobody has made', {
    settings: { CONTAINERS },
    service: { author: OWNER },
    node: having(1),
    message: `${CONTAINERS[0]}, ${CONTAINERS[2]} would take it and is not there: "thundercloud pool create ${CONTAINERS[0]} --image IMAGE" makes it`,
  }),
  passes('as large as what it asks for', {
    settings: { CONTAINERS },
    service: { author: OWNER, resources: { memory: 1, cpu: 1, disk: 1, pids: 1001 } },
    node: having(0),
    message: `${CONTAINERS[0]} has less memory, cpu or pids than it asks for`,
  }),
  passes('for an image', {
    settings: { CONTAINERS },
    service: { author: OWNER, code: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' },
    node: having(0),
    message: 'its code is an image, which is a container of its own',
  }),
])

const { capacity } = snapshotOf()
const SWARM = { SWARM: true, SWARM_REGISTRY: 'registry.example.org' }

table(toolchain, [
  passes('an alias', { service: { toolchain: ['NodeJS'] }, message: 'node.js can run here (docker)' }),
  fails('docker and an unlisted one', {
    service: { toolchain: ['docker', 'go', 'node.js'] },
    message: 'go is not in PREFER_TOOLCHAIN.docker',
    needs: ['toolchain', 'one-of', 'c, c++, node.js, rust'],
  }),
  passes('docker alone', { service: { toolchain: ['docker'] } }),
  passes('what the docker list grants, in the swarm', {
    settings: { DOCKER_CONFIGS: SWARM, PREFER_TOOLCHAIN: { docker: ['node'] } },
    node: { capacity: { ...capacity, executors: [{ name: 'docker' }, { name: 'swarm' }] } },
    message: 'node.js can run here (swarm)',
  }),
  defers('where the swarm is not there, although its manager is', {
    settings: { DOCKER_CONFIGS: SWARM, PREFER_TOOLCHAIN: { docker: ['node'] } },
    node: { capacity: { ...capacity, executors: [{ name: 'docker' }] } },
    message: 'node.js would run in swarm, which is not available for it now',
    needs: ['node.executors', 'one-of', 'swarm'],
  }),
  fails('docker, and listed for the host only', {
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['docker', 'node'] },
    message: 'node.js is not in PREFER_TOOLCHAIN.docker',
  }),
  fails('half in one list, half in the other', {
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['rust', 'node'] },
    message: /is not in one list of PREFER_TOOLCHAIN$/,
  }),
  fails('unlisted', { service: { toolchain: ['golang'] }, message: 'go is not in one list of PREFER_TOOLCHAIN' }),
  fails('none', { service: { toolchain: [] }, message: /names no toolchain/ }),
  fails('nothing is preferred', {
    settings: { PREFER_TOOLCHAIN: {} },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  }),
  ...[['docker'], ['docker', 'node']].map((words) =>
    fails(`${words}, and nothing is granted in Docker`, {
      settings: { PREFER_TOOLCHAIN: { docker: [], host: ['node'] } },
      service: { toolchain: words },
      message: /^PREFER_TOOLCHAIN.docker is empty: nothing that asks for docker runs here$/,
    }),
  ),
  fails('none, and nothing is preferred', {
    settings: { PREFER_TOOLCHAIN: {} },
    service: { toolchain: [] },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  }),
  defers('no engine now', {
    service: { toolchain: ['docker', 'node'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host' }] } },
    message: 'docker, node.js would run in docker, which is not available for it now',
    needs: ['node.executors', 'one-of', 'docker'],
  }),
  defers('listed, and not installed', {
    service: { toolchain: ['rust'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host', toolchains: ['node.js'] }] } },
    message: 'rust would run in docker or host, where cargo is not installed',
  }),
  defers('an executor for the own address, and a stranger', {
    service: { author: STRANGER },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
  }),
  passes('an executor for the own address', {
    service: { author: OWN },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
    message: 'node.js can run here (host)',
  }),
])

const RUNS = { runs: true, droppedBy: undefined }
const NOT = { runs: false, droppedBy: undefined }
const DROPPED = { runs: false, droppedBy: 'desc-length' }

it.each([
  ['unless-run', 1, RUNS, false, 'it runs here and wants one replica'],
  ['unless-run', 2, RUNS, true, 'it wants 2 replicas'],
  ['unless-run', 1, NOT, true, 'it does not run here'],
  ['unless-run', 2, DROPPED, false, 'what fails desc-length is dropped'],
  ['always', 1, RUNS, true, 'REDIRECT is "always"'],
  ['always', 1, DROPPED, false, 'what fails desc-length is dropped'],
  ['never', 2, NOT, false, 'REDIRECT is "never"'],
])('redirection: %s, %i wanted: %j', (REDIRECT, replicas, outcome, expected, why) => {
  const { redirect, reason } = redirection(serviceOf({ replicas }), snapshotOf(configOf({ REDIRECT })), outcome)
  expect(redirect).toBe(expected)
  expect(reason).toEqual({
    rule: 'redirection',
    outcome: 'pass',
    message: `${expected ? 'redirected' : 'not redirected'}: ${why}`,
  })
})

it('redirection: REDIRECTION_DEPTH 0 = never', () => {
  const node = snapshotOf(configOf({ REDIRECTION_DEPTH: 0, REDIRECT: 'always' }))
  expect(redirection(serviceOf(), node, NOT)).toMatchObject({ redirect: false })
})
