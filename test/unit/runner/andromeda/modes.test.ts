import { describe, expect, it } from 'vitest'
import { reasonOf, STRANGER, verdictOf } from '../../../fixtures/runner/runners.ts'
import { HUB, HUBS, said } from './hubs.ts'

const decided = (rule: string, settings: object, service: object = {}, node: object = {}) => {
  const verdict = verdictOf(settings, service, node)
  return { ...verdict, reason: reasonOf(verdict, rule) }
}

describe('a rule in mode "warn"', () => {
  it('passes, says what it would have done, and what would have helped', () => {
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

  it('says "defer" where it would have waited, and waits for nothing', () => {
    const settings = { TRUSTED_HUBS: HUBS, MODES: { trust: 'warn' } }
    const { run, park, reason } = decided('trust', settings, { author: STRANGER })
    expect(run).not.toBe(false)
    expect(park).toBeUndefined()
    expect(reason).toMatchObject({ outcome: 'pass', warned: 'defer' })
  })

  it('drops nothing', () => {
    const settings = { TRUSTED_HUBS: HUBS, REDIRECT: 'always', MODES: { veto: 'warn', 'desc-length': 'warn' } }
    const node = { attestations: [said(HUB, 'unsafe')] }
    expect(decided('veto', settings, { desc: 'x'.repeat(500) }, node)).toMatchObject({
      run: { executor: 'docker' },
      redirect: true,
      reason: { outcome: 'pass', warned: 'fail' },
    })
  })

  it('is a rule like any other where it has nothing to say', () => {
    expect(decided('keywords', { MODES: { keywords: 'warn' } }).reason).not.toHaveProperty('warned')
    expect(decided('keywords', { MODES: { keywords: 'enforce' } }, { keywords: [] }).run).toBe(false)
  })
})
