import { describe, expect, it } from 'vitest'
import { STRANGER, snapshotOf, verdictOf } from '../../../fixtures/runner/runners.ts'

const [MIB, GIB] = [1024 ** 2, 1024 ** 3]
const talksTooMuch = 'x'.repeat(500)

describe('the verdict', () => {
  it('grants what was asked for, no network, and docker where both fit', () => {
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
      'follows the first rule that does not pass: uninteresting and too much is passed on',
      {},
      { keywords: [], resources: { memory: 64 * GIB, disk: 0, cpu: 1, pids: 1 } },
      true,
    ],
    ['too long and uninteresting is dropped', {}, { keywords: [], desc: talksTooMuch }, false],
  ])('%s', (_says, settings, service, redirect) => {
    expect(verdictOf(settings, service)).toMatchObject({ run: false, redirect })
  })

  it.each([
    ['a stranger', {}, { author: STRANGER }, true],
    ['one replica', {}, {}, false],
    ['two replicas', {}, { replicas: 2 }, true],
    ['always', { REDIRECT: 'always' }, {}, true],
    ['never', { REDIRECT: 'never' }, { author: STRANGER }, false],
    ['no depth', { REDIRECTION_DEPTH: 0 }, { author: STRANGER }, false],
  ])('redirects or not: %s', (_says, settings, service, redirect) => {
    const answer = verdictOf(settings, service)
    expect(answer.redirect).toBe(redirect)
    expect(answer.park).toBeUndefined()
    expect(answer.reasons.at(-1)).toMatchObject({ rule: 'redirection', outcome: 'pass' })
  })

  it('tells everything that stands in the way, not only the first', () => {
    const { reasons } = verdictOf({}, { keywords: [], author: STRANGER, network: ['a.b:1'], toolchain: ['go'] })
    const failed = reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule)
    expect(failed).toEqual(['keywords', 'toolchain', 'network', 'trust'])
  })
})
