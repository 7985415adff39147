import { describe, expect, it } from 'vitest'
import { redirection } from '../../../../src/runner/andromeda/rules/redirection.ts'
import { configOf, serviceOf, snapshotOf } from '../../../fixtures/runner/runners.ts'

const RUNS = { runs: true, droppedBy: undefined }
const NOT = { runs: false, droppedBy: undefined }
const DROPPED = { runs: false, droppedBy: 'desc-length' }

describe('redirection', () => {
  it.each([
    ['unless-run', 1, RUNS, false, 'it runs here and wants one replica'],
    ['unless-run', 2, RUNS, true, 'it wants 2 replicas'],
    ['unless-run', 1, NOT, true, 'it does not run here'],
    ['unless-run', 2, DROPPED, false, 'what fails desc-length is dropped'],
    ['always', 1, RUNS, true, 'REDIRECT is "always"'],
    ['always', 1, DROPPED, false, 'what fails desc-length is dropped'],
    ['never', 2, NOT, false, 'REDIRECT is "never"'],
  ])('%s, %i wanted: %j', (REDIRECT, replicas, outcome, expected, why) => {
    const { redirect, reason } = redirection(serviceOf({ replicas }), snapshotOf(configOf({ REDIRECT })), outcome)
    expect(redirect).toBe(expected)
    expect(reason).toEqual({
      rule: 'redirection',
      outcome: 'pass',
      message: `${expected ? 'redirected' : 'not redirected'}: ${why}`,
    })
  })

  it('REDIRECTION_DEPTH 0 = never', () => {
    const node = snapshotOf(configOf({ REDIRECTION_DEPTH: 0, REDIRECT: 'always' }))
    expect(redirection(serviceOf(), node, NOT)).toMatchObject({ redirect: false })
  })
})
