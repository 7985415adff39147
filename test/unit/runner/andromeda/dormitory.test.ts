import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../../src/base/verdict.ts'
import { reasonOf, STRANGER, serviceOf, snapshotOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { HUBS } from './hubs.ts'

const full = { capacity: { ...snapshotOf().capacity, memoryBytes: 0 } }
const why = (verdict: Verdict) => reasonOf(verdict, 'dormitory')?.message

describe('the dormitory', () => {
  it('takes what only has to wait, with what wakes it', () => {
    const answer = verdictOf({}, {}, full)
    expect(answer).toMatchObject({ run: false, redirect: true, park: [{ on: 'capacity' }] })
    expect(why(answer)).toBe('may wait for capacity')
  })

  it('waits for everything that is missing, for each thing once', () => {
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
  ])('does not take %s', (_says, settings, service, message) => {
    const answer = verdictOf(settings, service, full)
    expect(answer.park).toBeUndefined()
    expect(why(answer)).toBe(message)
  })

  it('takes what a rule would refuse that only warns', () => {
    const answer = verdictOf({ MODES: { keywords: 'warn' } }, { keywords: [] }, full)
    expect(answer.park).toEqual([{ on: 'capacity' }])
  })

  it('is not mentioned where nothing has to wait', () => {
    expect(why(verdictOf({}, {}))).toBeUndefined()
    expect(why(verdictOf({}, { keywords: [] }))).toBeUndefined()
  })
})
