import { expect, test } from 'vitest'
import type { SimEvent } from '../../../../src/simulation/events.ts'
import { INVARIANTS } from '../../../../src/simulation/invariants/index.ts'
import { NONE } from '../../../../src/simulation/tables.ts'
import { goodRun, observed } from '../../../fixtures/simulation-run.ts'
import { BROKEN, of, SERVICE } from './broken.ts'

const REFUSED = { verdict: 'refused', redirect: false, rule: 'none', depth: 1 } as const

/** What of the good run breaks only when an earlier event of it was moved. */
const LATE_START: SimEvent = { ms: 1620, node: 2, event: 'run', service: 0, state: 'running' }

test('a good run breaks no invariant, and each invariant is broken here on purpose', () => {
  expect(observed(INVARIANTS, goodRun()).violations).toEqual({})
  expect(Object.keys(BROKEN).toSorted()).toEqual(INVARIANTS.map(({ id }) => id).toSorted())
  expect(of(goodRun().events, 'run', 2)).toEqual(LATE_START)
})

test.for(Object.entries(BROKEN).flatMap(([id, ways]) => ways.map(({ how, said }) => ({ id, how, said }))))(
  '$id: $said',
  ({ id, how, said }) => {
    const told = goodRun()
    how(told)
    expect(observed(INVARIANTS, told).violations[id]?.[0]).toBe(said)
  },
)

test('what attackers do is not held against the mesh, nor what a node missed that was away', () => {
  const attacked = goodRun()
  attacked.facts.attackerOf = (node) => (node === 1 ? 'depth-kept' : undefined)
  attacked.spread.emittedDepth[1] = 2
  attacked.events.push({ ms: 3000, node: 1, event: 'emitted', service: 0, depth: 2 })
  attacked.events.push({ ms: 3000, node: 2, event: 'graylisted', peer: 1 })
  expect(observed(INVARIANTS, attacked).violations).toEqual({})

  const away = goodRun()
  away.facts.changing = true
  away.events = away.events.filter(({ node }) => node !== 3)
  away.events.push({ ms: 100, node: 3, event: 'left' })
  away.spread.firstDepth[3] = NONE
  expect(observed(INVARIANTS, away).violations).toEqual({})
  // one that comes back late has no time to get it, and one that comes back early must get it
  away.events.push({ ms: 90_000, node: 3, event: 'joined' })
  expect(observed(INVARIANTS, away).violations).toEqual({})
  away.events.push({ ms: 9000, node: 3, event: 'joined' })
  const missed = 'service 0 was sent on by node 2 and never arrived at its neighbour 3'
  const back = () => observed(INVARIANTS, away).violations['neighbours-are-reached']?.[0]
  away.events = away.events.filter(({ ms }) => ms !== 90_000)
  expect(back()).toBe(missed)
  // but without sync, and but for what is over by then, or what its neighbour lost
  away.facts.hasSync = false
  expect(back()).toBeUndefined()
  away.facts.hasSync = true
  away.facts.serviceOf = () => ({ ...SERVICE, endsMs: 90_000 })
  expect(back()).toBeUndefined()
  away.facts.serviceOf = () => SERVICE
  expect(back()).toBe(missed)
  away.events.push({ ms: 8000, node: 2, event: 'restored', services: [], powerCut: true })
  expect(back()).toBeUndefined()

  // when it is back, nobody sends on any more what is revoked
  const cut = goodRun()
  cut.facts.changing = true
  cut.events = cut.events.filter(({ node }) => node !== 3)
  cut.events.push({ ms: 100, node: 3, event: 'cut' }, { ms: 5000, node: 3, event: 'healed' })
  cut.spread.firstDepth[3] = NONE
  const reached = () => observed(INVARIANTS, cut).violations['neighbours-are-reached']
  expect(reached()).toHaveLength(1)
  Object.assign(cut.spread, { revokedMs: Float64Array.of(4000, 4000, 4000, Number.NaN) })
  expect(reached()).toBeUndefined()
})

test('what is revoked soon after it came may not arrive where it was sent on', () => {
  const told = goodRun()
  told.spread.firstDepth[3] = NONE
  const revokedAt = (ms: number) =>
    Object.assign(told.spread, { revokedMs: Float64Array.of(Number.NaN, Number.NaN, ms, Number.NaN) })
  revokedAt(60_000)
  const found = () => observed(INVARIANTS, told).violations['neighbours-are-reached']
  expect(found()).toHaveLength(1)
  revokedAt(5000)
  expect(found()).toBeUndefined()
})

test('what is known again, has ended, was replaced or revoked is not lost', () => {
  const restarted = goodRun()
  restarted.events.push({ ms: 9000, node: 1, event: 'restored', services: [0] })
  restarted.events.push({ ms: 8000, node: 2, event: 'revoked', service: 0 })
  restarted.events.push({ ms: 8100, node: 2, event: 'run', service: 0, state: 'ended' })
  restarted.events.push({ ms: 8900, node: 2, event: 'crashed' })
  restarted.events.push({ ms: 9000, node: 2, event: 'restored', services: [] })
  restarted.events.push({ ms: 8000, node: 0, event: 'superseded', service: 0, by: 1 })
  restarted.events.push({ ms: 9000, node: 0, event: 'restored', services: [] })
  restarted.events.push({ ms: 3_600_000, node: 3, event: 'restored', services: [] })
  expect(observed(INVARIANTS, restarted).violations).toEqual({})
})

test('where the newer version was there first, the older one need not arrive, nor run', () => {
  const updated = goodRun()
  updated.facts.serviceOf = () => ({ ...SERVICE, kind: 'service', replicas: 9 })
  updated.spread.firstDepth[3] = NONE
  updated.events = updated.events.filter(({ node, event }) => node !== 3 && event !== 'run')
  updated.events.push({ ms: 2000, node: 2, event: 'run', service: 0, state: 'running' })
  expect(Object.keys(observed(INVARIANTS, updated).violations)).toEqual(['neighbours-are-reached', 'replicas-exact'])
  updated.events.push({ ms: 3000, node: 3, event: 'superseded', service: 0, by: 1 })
  expect(observed(INVARIANTS, updated).violations).toEqual({})
})

test('more than a service asks for may run where they do not all know one another', () => {
  const told = goodRun()
  told.facts.serviceOf = () => ({ ...SERVICE, replicas: 2 })
  const found = () => observed(INVARIANTS, told).violations['replicas-exact']
  expect(found()).toHaveLength(1)
  told.facts.runsAreKnown = false
  // node 0 does not know of node 2
  expect(found()).toBeUndefined()
  told.facts.neighboursOf = (node) => [0, 1, 2, 3].filter((other) => other !== node)
  expect(found()).toHaveLength(1)
})

test('an older version goes on, and a willing node starts nothing, where there is no room', () => {
  const told = goodRun()
  told.facts.limitsOf = () => ({ runs: 2, memoryBytes: 9000, parked: 256 })
  told.events.push({ ms: 3000, node: 2, event: 'run', service: 1, state: 'running' })
  told.events.push({ ms: 3000, node: 2, event: 'superseded', service: 0, by: 1 })
  const found = () => observed(INVARIANTS, told).violations['replicas-exact']
  expect(found()).toHaveLength(1)
  told.facts.limitsOf = (node) => ({ runs: node === 2 ? 2 : 1, memoryBytes: 9000, parked: 256 })
  expect(found()).toBeUndefined()

  const taken = goodRun()
  taken.facts.limitsOf = () => ({ runs: 1, memoryBytes: 9000, parked: 256 })
  taken.facts.serviceOf = (service) => ({ ...SERVICE, replicas: service === 0 ? 3 : 0 })
  taken.events.push({ ms: 3000, node: 1, event: 'run', service: 0, state: 'ended' })
  expect(observed(INVARIANTS, taken).violations['replicas-exact']).toHaveLength(1)
  taken.events.push({ ms: 3000, node: 1, event: 'run', service: 1, state: 'running' })
  expect(observed(INVARIANTS, taken).violations['replicas-exact']).toBeUndefined()

  // nor where it keeps nothing for later
  const forgetful = goodRun()
  forgetful.facts.serviceOf = () => ({ ...SERVICE, replicas: 3 })
  forgetful.events.push({ ms: 3000, node: 1, event: 'run', service: 0, state: 'ended' })
  expect(observed(INVARIANTS, forgetful).violations['replicas-exact']).toHaveLength(1)
  forgetful.facts.limitsOf = () => ({ runs: 3, memoryBytes: 3000, parked: 0 })
  expect(observed(INVARIANTS, forgetful).violations['replicas-exact']).toBeUndefined()

  // nor where nobody has its code any more
  const gone = goodRun()
  gone.facts.serviceOf = () => ({ ...SERVICE, replicas: 3 })
  gone.events = gone.events.filter(({ event }) => event !== 'run')
  gone.events.push({ ms: 3000, node: 3, event: 'run', service: 1, state: 'running' })
  expect(observed(INVARIANTS, gone).violations['replicas-exact']).toHaveLength(1)
  gone.events.push({ ms: 4000, node: 0, event: 'crashed' })
  expect(observed(INVARIANTS, gone).violations['replicas-exact']).toBeUndefined()
  gone.events.push({ ms: 5000, node: 0, event: 'joined' })
  expect(observed(INVARIANTS, gone).violations['replicas-exact']).toHaveLength(1)
  gone.events.push({ ms: 5000, node: 0, event: 'restored', services: [], powerCut: true })
  expect(observed(INVARIANTS, gone).violations['replicas-exact']).toBeUndefined()
})

test('what a node cannot know yet, or goes on with, is no start too many', () => {
  const startsAt = (ms: number, ...events: readonly SimEvent[]) => {
    const told = goodRun()
    told.facts.serviceOf = () => ({ ...SERVICE, replicas: 1 })
    told.events.push(...events, { ms, node: 3, event: 'run', service: 0, state: 'running' })
    return observed(INVARIANTS, told).violations['no-surplus-start'] !== undefined
  }
  expect(startsAt(30_000)).toBe(true)
  expect(startsAt(20_000)).toBe(false)
  expect(startsAt(90_000)).toBe(false)
  expect(startsAt(30_000, { ms: 29_000, node: 2, event: 'cut' })).toBe(false)
  expect(startsAt(30_000, { ms: 29_000, node: 3, event: 'cut' })).toBe(false)
  expect(startsAt(30_000, { ms: 5000, node: 2, event: 'crashed' })).toBe(false)
  expect(startsAt(30_000, { ms: 3000, node: 3, event: 'superseded', service: 9, by: 0 })).toBe(false)
  expect(startsAt(30_000, { ms: 30_000, node: 3, event: 'restored', services: [0] })).toBe(false)
  expect(startsAt(30_000, { ms: 30_000, node: 3, event: 'restored', services: [0], powerCut: true })).toBe(true)
})

test('a restart may forget what a power cut took, and what is unsafe is not over', () => {
  const told = goodRun()
  told.events.push({ ms: 3000, node: 3, event: 'attested', service: 0, verdict: 'unsafe' })
  told.events.push({ ms: 3000, node: 3, event: 'revoked', service: 0 })
  told.events.push({ ms: 3000, node: 3, event: 'verdict', service: 0, ...REFUSED })
  told.events.push({ ms: 3000, node: 2, event: 'superseded', service: 0, by: 1 })
  told.events.push({ ms: 9100, node: 2, event: 'verdict', service: 0, ...REFUSED })
  told.events.push({ ms: 9000, node: 3, event: 'restored', services: [0], over: [], started: [] })
  told.events.push({ ms: 9000, node: 2, event: 'restored', services: [0], powerCut: true })
  told.events.push({ ms: 9500, node: 2, event: 'restored', services: [0], over: [], started: [] })
  const { violations } = observed(INVARIANTS, told)
  expect(violations['restart-keeps-state']).toBeUndefined()
  expect(violations['over-is-not-decided']).toBeUndefined()
})

test('what changed late may be decided again later than the run lasts', () => {
  const told = goodRun()
  told.events.push({ ms: 90_000, node: 3, event: 'attested', service: 0, verdict: 'safe' })
  told.events.push({ ms: 99_000, node: 3, event: 'outdated', service: 0, inForce: 'refused', now: 'run' })
  expect(observed(INVARIANTS, told).violations).toEqual({})
})

test('a run that ended makes room for another', () => {
  const told = goodRun()
  told.events.push({ ms: 3000, node: 1, event: 'run', service: 0, state: 'ended' })
  told.events.push({ ms: 3000, node: 1, event: 'run', service: 1, state: 'running' })
  told.events.push({ ms: 3000, node: 2, event: 'crashed' })
  told.events.push({ ms: 4000, node: 2, event: 'run', service: 1, state: 'running' })
  const quota = () => observed(INVARIANTS, told).violations['quotas-never-exceeded']
  expect(quota()).toBeUndefined()
  told.facts.limitsOf = () => ({ runs: 0, memoryBytes: 0, parked: 256 })
  expect(quota()).toBeDefined()
  told.facts.limitsOf = () => undefined
  expect(quota()).toBeUndefined()
})

test('what was parked may run when it was decided again, or the node started again', () => {
  const told = goodRun()
  told.events.push({ ms: 1500, node: 1, event: 'parked', service: 0, on: ['replica'] })
  expect(Object.keys(observed(INVARIANTS, told).violations)).toEqual(['parked-does-not-run'])
  told.events.push({ ms: 1510, node: 1, event: 'woken', service: 0, to: 'run' })
  expect(observed(INVARIANTS, told).violations).toEqual({})
})

test('what a power cut took from a node may come and be sent on again, and must come', () => {
  const cut = goodRun()
  const again = cut.events.filter(({ node, event }) => node === 2 && event !== 'run')
  cut.events.push({ ms: 9000, node: 2, event: 'restored', services: [], powerCut: true })
  cut.events.push(...again.map((event) => ({ ...event, ms: event.ms + 9000 })))
  expect(again.map(({ event }) => event)).toEqual(expect.arrayContaining(['delivered', 'emitted']))
  expect(observed(INVARIANTS, cut).violations).toEqual({})
})

test('what is revoked may run on where the node knows it late, was killed since, comes back late, or forgot it', () => {
  const runsOn = (...events: readonly SimEvent[]) => {
    const told = goodRun()
    told.events.push({ ms: 3000, node: 2, event: 'revoked', service: 0 }, ...events)
    return observed(INVARIANTS, told).violations['revoked-runs-end'] !== undefined
  }
  const crashed = { ms: 4000, node: 2, event: 'crashed' } as const
  const running = { node: 2, event: 'run', service: 0, state: 'running' } as const
  expect(runsOn()).toBe(true)
  expect(runsOn(crashed)).toBe(false)
  expect(runsOn(crashed, { ...running, ms: 5000 })).toBe(true)
  expect(runsOn(crashed, { ...running, ms: 90_000 })).toBe(false)
  expect(runsOn({ ms: 5000, node: 2, event: 'restored', services: [0] })).toBe(true)
  expect(runsOn({ ms: 5000, node: 2, event: 'restored', services: [0], powerCut: true })).toBe(false)
  const late = goodRun()
  late.events.push({ ms: 90_000, node: 2, event: 'revoked', service: 0 })
  expect(observed(INVARIANTS, late).violations).toEqual({})
})

test('of many violations the first are said, and how many more there are', () => {
  const told = goodRun()
  for (let at = 0; at < 20; at++) told.events.push({ ms: 3000 + at, node: 1, event: 'graylisted', peer: 2 })
  const sentences = observed(INVARIANTS, told).violations['honest-never-graylisted'] ?? []
  expect(sentences).toHaveLength(6)
  expect(sentences.at(-1)).toBe('and 15 more like these')
})
