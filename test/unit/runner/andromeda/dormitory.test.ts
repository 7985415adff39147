import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../../../../src/runner/index.ts'
import { configOf, STRANGER, serviceOf, snapshotOf } from '../support.ts'
import { HUBS } from './hubs.ts'

const full = { capacity: { ...snapshotOf().capacity, memoryBytes: 0 } }
const verdict = (settings: object, service: Partial<ReceivedService>, node: Partial<RunnerSnapshot> = {}) =>
  andromeda(serviceOf(service), snapshotOf(configOf(settings), node))
const why = ({ reasons }: ReturnType<typeof verdict>) => reasons.find(({ rule }) => rule === 'dormitory')?.message

describe('the dormitory', () => {
  it('takes what only has to wait, with what wakes it', () => {
    const answer = verdict({}, {}, full)
    expect(answer).toMatchObject({ run: false, redirect: true, park: [{ on: 'capacity' }] })
    expect(why(answer)).toBe('may wait for capacity')
  })

  it('waits for everything that is missing, for each thing once', () => {
    const { capacity } = snapshotOf()
    const settings = { TRUSTED_HUBS: HUBS, PREFER_HOSTCHAINS: { btc: { MIN_FREEZE: 1 } } }
    const node = { capacity: { ...capacity, memoryBytes: 0, executors: [] } }
    const answer = verdict(settings, { author: STRANGER, hostchains: ['btc'] }, node)
    expect(answer.park).toEqual([
      expect.objectContaining({ on: 'executor' }),
      { on: 'capacity' },
      { on: 'quorum', code: serviceOf().code },
      { on: 'freeze', chain: 'btc' },
    ])
  })

  it('does not take what a rule refuses outright', () => {
    const answer = verdict({}, { keywords: [] }, full)
    expect(answer.park).toBeUndefined()
    expect(why(answer)).toBe('not parked: waiting alone would not let it run')
  })

  it('takes what a rule would refuse that only warns', () => {
    const answer = verdict({ MODES: { keywords: 'warn' } }, { keywords: [] }, full)
    expect(answer.park).toEqual([{ on: 'capacity' }])
  })

  it.each([
    ['MAX', 'not parked: DORMITORY.MAX is 0'],
    ['TTL_SECONDS', 'not parked: DORMITORY.TTL_SECONDS is 0'],
  ])('takes nothing where %s is 0', (key, message) => {
    const answer = verdict({ DORMITORY: { [key]: 0 } }, {}, full)
    expect(answer.park).toBeUndefined()
    expect(why(answer)).toBe(message)
  })

  it('is not mentioned where nothing has to wait', () => {
    expect(why(verdict({}, {}))).toBeUndefined()
    expect(why(verdict({}, { keywords: [] }))).toBeUndefined()
  })
})
