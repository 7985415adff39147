import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../../src/base/verdict.ts'
import { RULE_NAMES } from '../../../../src/config/rule-names.ts'
import { andromeda, rules } from '../../../../src/runner/andromeda/index.ts'
import { rulesReference } from '../../../../src/runner/andromeda/reference.ts'
import { capacity } from '../../../../src/runner/andromeda/rules/capacity.ts'
import type { RunningService } from '../../../../src/runner/index.ts'
import {
  configOf,
  reasonOf,
  SAMPLE,
  STRANGER,
  serviceOf,
  snapshotOf,
  verdictOf,
} from '../../../fixtures/runner/runners.ts'
import { defers, HUB, HUBS, passes, said, table } from './table.ts'

const [MIB, GIB] = [1024 ** 2, 1024 ** 3]
const talksTooMuch = 'x'.repeat(500)

it('the verdict: grants what was asked for, no network, and docker where both fit', () => {
  const TOTAL = { MEMORY: '1GiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 1 }
  const task = { run: { command: ['a'], kind: 'task', timeout: 7200 } } as const
  expect(verdictOf({ LIMITS: { TOTAL, SERVICE: { TIMEOUT: '1h' } } }, task)).toMatchObject({
    run: {
      ...{ executor: 'docker', memoryBytes: 64 * MIB, cpuMillicores: 100, diskBytes: MIB, pids: 16 },
      ...{ timeoutSeconds: 3600, network: { mode: 'none' } },
    },
    redirect: false,
  })
  expect(verdictOf({ PREFER_TOOLCHAIN: { host: ['node'] } }).run).toMatchObject({ executor: 'host' })
  const executors = [{ name: 'host' as const, toolchains: ['node.js'], ownOnly: true }]
  const capacity = { ...snapshotOf().capacity, executors }
  expect(verdictOf({}, {}, { capacity }).run).toMatchObject({ executor: 'host' })
  const roots = { TRUST_TREE: { ROOTS: { [STRANGER]: {} } } }
  expect(verdictOf(roots, { author: STRANGER }, { capacity }).run).toBe(false)
})

it.each([
  ['drops what talks too much, whatever REDIRECT says', { REDIRECT: 'always' }, { desc: talksTooMuch }, false],
  [
    'follows the first rule that does not pass: uninteresting and too much is redirected',
    {},
    { keywords: [], resources: { memory: 64 * GIB, disk: 0, cpu: 1, pids: 1 } },
    true,
  ],
  ['too long and uninteresting is dropped', {}, { keywords: [], desc: talksTooMuch }, false],
])('the verdict: %s', (_says, settings, service, redirect) => {
  expect(verdictOf(settings, service)).toMatchObject({ run: false, redirect })
})

it.each([
  ['a stranger', {}, { author: STRANGER }, true],
  ['one replica', {}, {}, false],
  ['two replicas', {}, { replicas: 2 }, true],
  ['always', { REDIRECT: 'always' }, {}, true],
  ['never', { REDIRECT: 'never' }, { author: STRANGER }, false],
  ['no depth', { REDIRECTION_DEPTH: 0 }, { author: STRANGER }, false],
])('the verdict: redirects or not: %s', (_says, settings, service, redirect) => {
  const answer = verdictOf(settings, service)
  expect(answer.redirect).toBe(redirect)
  expect(answer.park).toBeUndefined()
  expect(answer.reasons.at(-1)).toMatchObject({ rule: 'redirection', outcome: 'pass' })
})

it('the verdict: names everything that is in the way, not only the first', () => {
  const { reasons } = verdictOf({}, { keywords: [], author: STRANGER, network: ['a.b:1'], toolchain: ['go'] })
  const failed = reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule)
  expect(failed).toEqual(['keywords', 'toolchain', 'network', 'trust'])
})

const free = snapshotOf().capacity
const evicting = { LIMITS: { ...SAMPLE.LIMITS, EVICT: true } }

function run(id: string, rank: number, megabytes: number, more: Partial<RunningService> = {}): RunningService {
  const resources = { memory: megabytes * MIB, disk: MIB, cpu: 100, pids: 16 }
  return { id, author: 'a', name: id, rank, own: false, executor: 'docker', ...resources, ...more }
}

table(capacity, [
  passes('all free', { message: 'what it asks for is free' }),
  defers('memory taken', {
    node: { capacity: { ...free, memoryBytes: 1024 } },
    message: 'asks for 64 MiB of memory, and 1 KiB of memory is free now',
    needs: ['node.free.memory', 'at-least', String(64 * MIB)],
  }),
  defers('more taken than given', {
    node: { capacity: { ...free, diskBytes: -MIB } },
    message: /and 0 B of disk is free now$/,
  }),
  defers('enough runs', {
    node: { capacity: { ...free, runs: 0 } },
    message: 'as many services run as LIMITS.TOTAL.RUNS allows',
    needs: ['node.free.runs', 'at-least', '1'],
  }),
  defers('no run ends without EVICT', { node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] } }),
  passes('what ranks lower ends with EVICT', {
    settings: evicting,
    node: { capacity: { ...free, runs: 0 }, running: [run('low', 0, 64)] },
    message: 'it fits once services that rank lower have ended: low',
  }),
])

const low = [run('low', 0, 64)]
// the keyword makes the new one rank 10
const evicted = (running: RunningService[], memoryBytes = 0) => {
  const { run: grant, evict } = verdictOf(evicting, {}, { capacity: { ...free, memoryBytes }, running })
  return grant === false ? false : evict
}

it.each<[string, RunningService[], string[] | false]>([
  ['takes one where one suffices, the lowest of those', [run('a', 0, 32), run('b', 5, 64), run('c', 6, 64)], ['b']],
  [
    'takes the lowest first where it needs more, and none that it does not need',
    [run('c', 3, 40), run('a', 1, 8), run('b', 2, 30), run('d', 4, 40)],
    ['b', 'c'],
  ],
  ['spares equals', [run('equal', 10, 64)], false],
  ['spares its betters', [run('better', 11, 64)], false],
  ["spares the operator's own services", [run('own', 0, 64, { own: true })], false],
  ['spares the version before', [run(serviceOf().id, 0, 32)], false],
  ['ends no run where even all of them would not free enough', [run('a', 0, 8), run('b', 0, 8)], false],
])('eviction: %s', (_says, running, expected) => {
  expect(evicted(running)).toEqual(expected)
})

describe('with a swarm, a run on the machine of the node', () => {
  const SWARM = { ...evicting, DOCKER_CONFIGS: { SWARM: true, SWARM_REGISTRY: 'registry.example.org' } }
  const here = { memoryBytes: 32 * MIB, cpuMillicores: 4000, diskBytes: 1024 * MIB }
  const on = (name: 'host' | 'swarm', running: RunningService[] = []) =>
    verdictOf(SWARM, {}, { capacity: { ...free, here, executors: [{ name, toolchains: ['node.js'] }] }, running })

  it('waits until that machine has what it asks for', () => {
    const { run: grant, park, reasons } = on('host')
    expect(grant).toBe(false)
    expect(park).toContainEqual({ on: 'capacity' })
    expect(reasons).toContainEqual({
      rule: 'capacity',
      outcome: 'defer',
      message:
        "asks for 64 MiB of memory, and 32 MiB of memory is free now on the node's own machine, where it would run: not in the swarm",
      needs: { field: 'node.free.here.memory', must: 'at-least', value: String(64 * MIB) },
    })
  })
  it('does not ask what that machine has where the swarm runs it', () => {
    expect(on('swarm').run).toMatchObject({ executor: 'swarm' })
  })
  it('ends no run of the swarm, which frees nothing there', () => {
    const [there, beside] = [run('there', 0, 64, { executor: 'swarm' }), run('beside', 5, 64, { executor: 'host' })]
    expect(on('host', [there]).run).toBe(false)
    expect(on('host', [there, beside])).toMatchObject({ run: { executor: 'host' }, evict: ['beside'] })
  })
})

it('eviction: names no run where there is capacity', () => {
  expect(evicted(low, 64 * MIB)).toBeUndefined()
})
it('eviction: ends no run for a service that does not run for another reason', () => {
  const node = { capacity: { ...free, memoryBytes: 0 }, running: low }
  const verdict = verdictOf({ ...evicting, KEYWORDS: ['else'] }, {}, node)
  expect(verdict).toMatchObject({ run: false })
  expect(verdict.evict).toBeUndefined()
})
it('eviction: does not depend on the order of what runs', () => {
  const running = ['c', 'a', 'b'].map((id) => run(id, 1, 40))
  expect(evicted(running)).toEqual(evicted(running.toReversed()))
})

const full = { capacity: { ...snapshotOf().capacity, memoryBytes: 0 } }
const why = (verdict: Verdict) => reasonOf(verdict, 'dormitory')?.message

it('the dormitory: takes what only has to wait, with what wakes it', () => {
  const answer = verdictOf({}, {}, full)
  expect(answer).toMatchObject({ run: false, redirect: true, park: [{ on: 'capacity' }] })
  expect(why(answer)).toBe('may wait for capacity')
})

it('the dormitory: waits for everything that is missing, for each thing once', () => {
  const { capacity } = snapshotOf()
  const settings = { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 1 } } }
  const node = { capacity: { ...capacity, memoryBytes: 0, executors: [] } }
  const answer = verdictOf(settings, { author: STRANGER, hostchains: ['btc'] }, node)
  expect(answer.park).toEqual([
    expect.objectContaining({ on: 'executor' }),
    { on: 'capacity' },
    { on: 'quorum', code: serviceOf().code },
    { on: 'freeze', chain: 'btc' },
  ])
})

it.each([
  ['what a rule refuses outright', {}, { keywords: [] }, 'not parked: waiting alone would not let it run'],
  ['anything where MAX is 0', { DORMITORY: { MAX: 0 } }, {}, 'not parked: DORMITORY.MAX is 0'],
  ['anything for no time', { DORMITORY: { TTL_SECONDS: 0 } }, {}, 'not parked: DORMITORY.TTL_SECONDS is 0'],
])('the dormitory: does not take %s', (_says, settings, service, message) => {
  const answer = verdictOf(settings, service, full)
  expect(answer.park).toBeUndefined()
  expect(why(answer)).toBe(message)
})

it('the dormitory: takes what a rule would refuse that only warns', () => {
  const answer = verdictOf({ MODES: { keywords: 'warn' } }, { keywords: [] }, full)
  expect(answer.park).toEqual([{ on: 'capacity' }])
})

it('the dormitory: is not mentioned where nothing has to wait', () => {
  expect(why(verdictOf({}, {}))).toBeUndefined()
  expect(why(verdictOf({}, { keywords: [] }))).toBeUndefined()
})

const decided = (rule: string, settings: object, service: object = {}, node: object = {}) => {
  const verdict = verdictOf(settings, service, node)
  return { ...verdict, reason: reasonOf(verdict, rule) }
}

it('a rule in mode "warn": passes, says what it would have done, and what would have helped', () => {
  const { run, redirect, reason } = decided('keywords', { MODES: { keywords: 'warn' } }, { keywords: [] })
  expect(run).toMatchObject({ executor: 'docker' })
  expect(redirect).toBe(false)
  expect(reason).toMatchObject({
    outcome: 'pass',
    warned: 'fail',
    message: expect.stringMatching(/^only a warning: the service has no keywords;/),
    needs: { field: 'keywords', must: 'one-of' },
  })
})

it('a rule in mode "warn": says "defer" where it would have waited, and waits for nothing', () => {
  const settings = { TRUSTED_HUBS: HUBS, MODES: { trust: 'warn' } }
  const { run, park, reason } = decided('trust', settings, { author: STRANGER })
  expect(run).not.toBe(false)
  expect(park).toBeUndefined()
  expect(reason).toMatchObject({ outcome: 'pass', warned: 'defer' })
})

it('a rule in mode "warn": drops nothing', () => {
  const settings = { TRUSTED_HUBS: HUBS, REDIRECT: 'always', MODES: { veto: 'warn', 'desc-length': 'warn' } }
  const node = { attestations: [said(HUB, 'unsafe')] }
  expect(decided('veto', settings, { desc: 'x'.repeat(500) }, node)).toMatchObject({
    run: { executor: 'docker' },
    redirect: true,
    reason: { outcome: 'pass', warned: 'fail' },
  })
})

it('a rule in mode "warn": is a rule like any other where it has nothing to say', () => {
  expect(decided('keywords', { MODES: { keywords: 'warn' } }).reason).not.toHaveProperty('warned')
  expect(decided('keywords', { MODES: { keywords: 'enforce' } }, { keywords: [] }).run).toBe(false)
})

/** Keys that no service can fail: they are for the executors, the network, the ranking, or for others' runners. */
const NOT_ASKED = ['DOCKER_CONFIGS', 'STATIC_NODES', 'HOST', 'CUSTOM', 'MODES']
/** Keys of the two answers that come after the rules. */
const AFTERWARDS = ['REDIRECT', 'REDIRECTION_DEPTH', 'DORMITORY']

it('the rules: are those that MODES knows, in one order', () => {
  expect(rules.map(({ name }) => name)).toEqual(RULE_NAMES)
  const { reasons } = andromeda(serviceOf(), snapshotOf())
  expect(reasons.map(({ rule }) => rule)).toEqual([...RULE_NAMES, 'redirection'])
})

it('the rules: read every key that a service can fail', () => {
  const read = new Set([...rules.flatMap(({ keys }) => keys), ...NOT_ASKED, ...AFTERWARDS])
  expect([...read].sort()).toEqual(Object.keys(configOf()).sort())
})

it('the rules: are all in the reference, with what they ask', () => {
  const text = rulesReference()
  for (const { name, doc } of rules) {
    expect(text).toContain(`| \`${name}\` |`)
    expect(doc.asks.length).toBeGreaterThan(20)
    expect(doc.otherwise).not.toBe('')
  }
  for (const key of AFTERWARDS) expect(text).toContain(`\`${key}\``)
})
