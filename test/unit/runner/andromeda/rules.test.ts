import { describe, expect, it } from 'vitest'
import type { Reason } from '../../../../src/base/verdict.ts'
import { rules } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../support.ts'

const GIB = 1024 ** 3
const limited = (SERVICE: object) => ({
  LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '8GiB', PIDS: 256, RUNS: 4 }, SERVICE },
})

type Case = {
  readonly rule: string
  readonly says: string
  readonly outcome: Reason['outcome']
  readonly settings?: object
  readonly service?: Partial<ReceivedService>
  readonly node?: Partial<RunnerSnapshot>
  readonly message?: string | RegExp
  readonly needs?: Reason['needs']
}

const cases: Case[] = [
  { rule: 'desc-length', says: '199 of 200', outcome: 'pass', service: { desc: 'x'.repeat(199) } },
  {
    rule: 'desc-length',
    says: 'exactly 200 of 200',
    outcome: 'fail',
    service: { desc: 'x'.repeat(200) },
    message: 'desc has 200 characters, DESC_MAX_LEN allows fewer than 200',
    needs: { field: 'desc.length', must: 'at-most', value: '199' },
  },
  {
    rule: 'desc-length',
    says: 'nothing is short enough',
    outcome: 'fail',
    settings: { DESC_MAX_LEN: 0 },
    message: /no description helps$/,
  },

  { rule: 'keywords', says: 'another case', outcome: 'pass', service: { keywords: ['x', 'DeFi'] } },
  {
    rule: 'keywords',
    says: 'none matches',
    outcome: 'fail',
    service: { keywords: ['games', 'apis'] },
    message: 'none of the keywords is of interest; KEYWORDS are api, bridge, control, defi, storage, tor, web3',
    needs: { field: 'keywords', must: 'one-of', value: 'api, bridge, control, defi, storage, tor, web3' },
  },
  {
    rule: 'keywords',
    says: 'no keywords',
    outcome: 'fail',
    service: { keywords: [] },
    message: /^the service has no keywords;/,
  },
  { rule: 'keywords', says: 'no interests', outcome: 'pass', settings: { KEYWORDS: [] }, service: { keywords: [] } },

  {
    rule: 'toolchain',
    says: 'an alias',
    outcome: 'pass',
    service: { toolchain: ['NodeJS'] },
    message: 'node.js can run here (docker)',
  },
  {
    rule: 'toolchain',
    says: 'docker and an unlisted one',
    outcome: 'fail',
    service: { toolchain: ['docker', 'go', 'node.js'] },
    message: 'go is not in PREFER_TOOLCHAIN.docker',
    needs: { field: 'toolchain', must: 'one-of', value: 'c, c++, node.js, rust' },
  },
  { rule: 'toolchain', says: 'docker alone', outcome: 'pass', service: { toolchain: ['docker'] } },
  {
    rule: 'toolchain',
    says: 'unlisted',
    outcome: 'fail',
    service: { toolchain: ['golang'] },
    message: 'go is not in one list of PREFER_TOOLCHAIN',
  },
  { rule: 'toolchain', says: 'none', outcome: 'fail', service: { toolchain: [] }, message: /names no toolchain/ },
  {
    rule: 'toolchain',
    says: 'nothing is preferred',
    outcome: 'fail',
    settings: { PREFER_TOOLCHAIN: {} },
    message: /empty: no toolchain would run here$/,
  },
  {
    rule: 'toolchain',
    says: 'no engine now',
    outcome: 'defer',
    service: { toolchain: ['docker', 'node'] },
    node: { capacity: { ...snapshotOf().capacity, executors: [{ name: 'host' }] } },
    message: 'docker, node.js would run in docker, which is not available for it now',
    needs: { field: 'node.executors', must: 'one-of', value: 'docker' },
  },
  {
    rule: 'toolchain',
    says: 'listed, and not installed',
    outcome: 'defer',
    service: { toolchain: ['rust'] },
    node: { capacity: { ...snapshotOf().capacity, executors: [{ name: 'host', toolchains: ['node.js'] }] } },
  },

  { rule: 'network', says: 'asks for none', outcome: 'pass' },
  {
    rule: 'network',
    says: 'NETCAP {} grants nothing',
    outcome: 'fail',
    service: { network: ['api.github.com:443'] },
    message: 'asks for api.github.com:443, and this node grants no network',
    needs: { field: 'network', must: 'be', value: 'empty' },
  },
  {
    rule: 'network',
    says: 'a grant that is not built grants nothing',
    outcome: 'fail',
    settings: { NETCAP: { MODE: 'open' } },
    service: { network: ['api.github.com:443'] },
  },

  {
    rule: 'limits',
    says: 'exactly the limit',
    outcome: 'pass',
    settings: limited({ MEMORY: '64MiB', CPU: 100, DISK: '1MiB', PIDS: 16 }),
  },
  {
    rule: 'limits',
    says: 'too much memory',
    outcome: 'fail',
    settings: limited({ MEMORY: '32MiB' }),
    message: 'asks for 64 MiB of memory, LIMITS.SERVICE.MEMORY allows 32 MiB of memory',
    needs: { field: 'resources.memory', must: 'at-most', value: String(32 * 1024 ** 2) },
  },
  {
    rule: 'limits',
    says: 'too much cpu',
    outcome: 'fail',
    settings: limited({ CPU: 99 }),
    needs: { field: 'resources.cpu', must: 'at-most', value: '99' },
  },
  {
    rule: 'limits',
    says: 'too much disk',
    outcome: 'fail',
    settings: limited({ DISK: 0 }),
    needs: { field: 'resources.disk', must: 'at-most', value: '0' },
  },
  {
    rule: 'limits',
    says: 'too many processes',
    outcome: 'fail',
    settings: limited({ PIDS: 1 }),
    message: 'asks for 16 processes, LIMITS.SERVICE.PIDS allows 1 process',
  },
  {
    rule: 'limits',
    says: 'the default gives nothing',
    outcome: 'fail',
    settings: { LIMITS: {} },
    message: /0 B of memory: every service asks for some$/,
  },

  { rule: 'capacity', says: 'all free', outcome: 'pass' },
  {
    rule: 'capacity',
    says: 'memory taken',
    outcome: 'defer',
    node: { capacity: { ...snapshotOf().capacity, memoryBytes: 1024 } },
    message: 'asks for 64 MiB of memory, and 1 KiB of memory is free now',
    needs: { field: 'node.free.memory', must: 'at-least', value: String(64 * 1024 ** 2) },
  },
  {
    rule: 'capacity',
    says: 'more taken than given',
    outcome: 'defer',
    node: { capacity: { ...snapshotOf().capacity, diskBytes: -GIB } },
    message: /and 0 B of disk is free now$/,
  },
  {
    rule: 'capacity',
    says: 'enough runs',
    outcome: 'defer',
    node: { capacity: { ...snapshotOf().capacity, runs: 0 } },
    needs: { field: 'node.free.runs', must: 'at-least', value: '1' },
  },

  { rule: 'trust', says: 'own address', outcome: 'pass' },
  {
    rule: 'trust',
    says: 'a root',
    outcome: 'pass',
    settings: { TRUST_TREE: { ROOTS: { [STRANGER]: {} } } },
    service: { author: STRANGER },
  },
  { rule: 'trust', says: 'vouched for', outcome: 'pass', service: { author: STRANGER }, node: { inTree: true } },
  {
    rule: 'trust',
    says: 'a stranger, no hubs',
    outcome: 'fail',
    service: { author: STRANGER },
    message: `the author ${STRANGER} is not in the trust tree, and no hubs are trusted`,
    needs: { field: 'author', must: 'one-of', value: OWN },
  },
  {
    rule: 'trust',
    says: 'a stranger, of hubs nothing is known',
    outcome: 'fail',
    settings: { TRUSTED_HUBS: { WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq: {} } },
    service: { author: STRANGER },
    message: /nothing is known of 1 trusted hub that call/,
    needs: { field: 'quorum.hubs', must: 'at-least', value: '1' },
  },

  {
    rule: 'unproven',
    says: 'MIN_FREEZE 0, as in the sample',
    outcome: 'pass',
    settings: { PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 0 } } },
    service: { hostchains: ['btc'] },
  },
  {
    rule: 'unproven',
    says: 'an amount that nobody has shown',
    outcome: 'fail',
    settings: { PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 10 } } },
    service: { hostchains: ['btc'] },
    needs: { field: 'frozen', must: 'at-least', value: '10 on btc' },
  },
  {
    rule: 'unproven',
    says: 'a chain that the service does not name',
    outcome: 'pass',
    settings: { PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 10 } } },
  },
  {
    rule: 'unproven',
    says: 'a price',
    outcome: 'fail',
    settings: { PRICING: { kly: { GIB_HOUR: '0.1' } } },
    message: /in kly; .* so none helps$/,
  },
]

describe.each(rules.map(({ name }) => name))('%s', (name) => {
  it.each(cases.filter(({ rule }) => rule === name).map((entry) => [entry.says, entry] as const))(
    '%s',
    (_says, entry) => {
      const node = snapshotOf(configOf(entry.settings), entry.node)
      const rule = rules.find((other) => other.name === name)
      const reason = rule?.decide(serviceOf(entry.service), node)[0]
      expect(reason).toMatchObject({ rule: name, outcome: entry.outcome })
      if (entry.message !== undefined) expect(reason?.message).toMatch(entry.message)
      if (entry.needs !== undefined) expect(reason?.needs).toEqual(entry.needs)
    },
  )
})

describe('every rule', () => {
  it('comes in the order of its cost and has a case here for each outcome that it knows', () => {
    expect(rules.map(({ cost }) => cost)).toEqual(rules.map(({ cost }) => cost).sort((a, b) => a - b))
    for (const { name } of rules) {
      const outcomes = new Set(cases.filter(({ rule }) => rule === name).map(({ outcome }) => outcome))
      expect(outcomes, name).toContain('pass')
      expect(outcomes.size, name).toBeGreaterThan(1)
    }
  })
})
