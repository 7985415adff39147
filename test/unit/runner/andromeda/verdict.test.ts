import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../../src/base/verdict.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, STRANGER, serviceOf, snapshotOf } from '../support.ts'

const GIB = 1024 ** 3

describe('the verdict', () => {
  const verdict = (
    settings: object = {},
    service: Partial<ReceivedService> = {},
    node: Partial<RunnerSnapshot> = {},
  ): Verdict => andromeda(serviceOf(service), snapshotOf(configOf(settings), node))

  it('grants what was asked for, no network, and docker where both fit', () => {
    expect(
      verdict(
        {
          LIMITS: { TOTAL: { MEMORY: '1GiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 1 }, SERVICE: { TIMEOUT: '1h' } },
        },
        { run: { command: ['a'], kind: 'task', timeout: 7200 } },
      ),
    ).toMatchObject({
      run: {
        executor: 'docker',
        memoryBytes: 64 * 1024 ** 2,
        cpuMillicores: 100,
        diskBytes: 1024 ** 2,
        pids: 16,
        timeoutSeconds: 3600,
        network: { mode: 'none' },
      },
      redirect: false,
    })
    expect(verdict({ PREFER_TOOLCHAIN: { host: ['node'] } }).run).toMatchObject({ executor: 'host' })
    const executors = [{ name: 'host' as const, toolchains: ['node.js'], ownOnly: true }]
    const capacity = { ...snapshotOf().capacity, executors }
    expect(verdict({}, {}, { capacity }).run).toMatchObject({ executor: 'host' })
    const roots = { TRUST_TREE: { ROOTS: { [STRANGER]: {} } } }
    expect(verdict(roots, { author: STRANGER }, { capacity }).run).toBe(false)
  })

  it('drops what talks too much, whatever REDIRECT says', () => {
    const desc = 'x'.repeat(500)
    expect(verdict({ REDIRECT: 'always' }, { desc })).toMatchObject({ run: false, redirect: false })
  })

  it('follows the first rule that does not pass: uninteresting and too much redirects, too long and uninteresting drops', () => {
    const big = { memory: 64 * GIB, disk: 0, cpu: 1, pids: 1 }
    expect(verdict({}, { keywords: [], resources: big })).toMatchObject({ run: false, redirect: true })
    expect(verdict({}, { keywords: [], desc: 'x'.repeat(500) })).toMatchObject({ run: false, redirect: false })
  })

  it.each([
    ['a stranger', {}, { author: STRANGER }, true],
    ['one replica', {}, {}, false],
    ['two replicas', {}, { replicas: 2 }, true],
    ['always', { REDIRECT: 'always' }, {}, true],
    ['never', { REDIRECT: 'never' }, { author: STRANGER }, false],
    ['no depth', { REDIRECTION_DEPTH: 0 }, { author: STRANGER }, false],
  ])('redirects or not: %s', (_says, settings, service, redirect) => {
    const answer = verdict(settings, service)
    expect(answer.redirect).toBe(redirect)
    expect(answer.park).toBeUndefined()
    expect(answer.reasons.at(-1)).toMatchObject({ rule: 'redirection', outcome: 'pass' })
  })

  it('tells everything that stands in the way, not only the first', () => {
    const { reasons } = verdict({}, { keywords: [], author: STRANGER, network: ['a.b:1'], toolchain: ['go'] })
    const failed = reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule)
    expect(failed).toEqual(['keywords', 'toolchain', 'network', 'trust'])
  })
})
