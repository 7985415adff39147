import { expect, test } from 'vitest'
import type { SimEvent } from '../../../../src/simulation/events.ts'
import { INVARIANTS } from '../../../../src/simulation/invariants/index.ts'
import { NONE } from '../../../../src/simulation/tables.ts'
import { goodRun, observed, type Told } from '../../../fixtures/simulation-run.ts'

/** Each breaks one invariant on purpose: what it does to the good run, and what is said of it. */
const BROKEN: Readonly<Record<string, { how(told: Told): void; said: string }[]>> = {
  'depth-never-raised': [
    {
      how({ spread }) {
        spread.emittedDepth[1] = 2
      },
      said: 'service 0 at node 1: it got depth 2 and sent depth 2 on; it must be less',
    },
    {
      how({ spread }) {
        spread.bestDepth[2] = 5
      },
      said: 'service 0 at node 2: it got depth 1, at best 5, but the author signed 2',
    },
    {
      how({ spread }) {
        spread.firstDepth[3] = 1
        spread.bestDepth[3] = 1
      },
      said: 'service 0 at node 3: it got depth 1 from node 2, which sent at most 0',
    },
    {
      how({ spread }) {
        spread.emittedDepth[2] = NONE
      },
      said: 'service 0 at node 3: it got depth 0 from node 2, which sent nothing',
    },
  ],
  'no-emission-twice': [
    {
      how: ({ events }) => void events.push({ ms: 2000, node: 1, event: 'emitted', service: 0, depth: 1 }),
      said: 'node 1 sent service 0 on with depth 1 after it had with depth 1',
    },
    {
      how: ({ events }) => void events.push({ ms: 2000, node: 1, event: 'emitted', service: 0, depth: 0 }),
      said: 'node 1 sent service 0 on with depth 0 after it had with depth 1',
    },
  ],
  'delivered-once': [
    {
      how: ({ events }) => void events.push({ ...(of(events, 'delivered', 2) as SimEvent), ms: 5000 }),
      said: 'node 2 took service 0 in twice',
    },
    {
      how: ({ events }) =>
        void events.push({ ms: 1, node: 2, event: 'delivered', service: 7, depth: 1, from: 1, hops: 1 }),
      said: 'node 2 got service 7 before it was published',
    },
  ],
  'lost-arrives-again': [
    {
      how: ({ events }) => void events.push({ ms: 9000, node: 2, event: 'restored', services: [], powerCut: true }),
      said: 'node 2 lost service 0 by a power cut, and its neighbour 1 did not give it back',
    },
  ],
  'nothing-lost-by-crash': [
    {
      how: ({ events }) => void events.push({ ms: 9000, node: 2, event: 'restored', services: [1] }),
      said: 'node 2 had taken service 0 in, and no longer knew it after 9000 ms',
    },
  ],
  'emits-only-what-it-redirects': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 3, event: 'emitted', service: 0, depth: 0 }),
      said: 'node 3 sent service 0 on, which its policy does not redirect',
    },
  ],
  'neighbours-are-reached': [
    {
      how({ spread }) {
        spread.firstDepth[3] = NONE
        spread.bestDepth[3] = NONE
      },
      said: 'service 0 was sent on by node 2 and never arrived at its neighbour 3',
    },
    {
      // a mended network delivers what was missed
      how({ spread, events, facts }) {
        facts.changing = true
        events.push({ ms: 500, node: 3, event: 'cut' }, { ms: 5000, node: 3, event: 'healed' })
        spread.firstDepth[3] = NONE
      },
      said: 'service 0 was sent on by node 2 and never arrived at its neighbour 3',
    },
  ],
  'nothing-while-away': [
    {
      how: ({ events }) => void events.push({ ms: 1100, node: 2, event: 'crashed' }),
      said: 'node 2 is away, and "delivered" happened at it after 1120 ms',
    },
  ],
  'no-task-twice': [
    {
      how({ facts, events }) {
        facts.serviceOf = () => ({ kind: 'task', replicas: 0, endsMs: 9e6 })
        events.push({ ms: 9000, node: 1, event: 'run', service: 0, state: 'running' })
      },
      said: 'node 1 started task 0 twice',
    },
  ],
  'revoked-never-starts': [
    {
      how: ({ events }) => void events.push({ ms: 1600, node: 2, event: 'revoked', service: 0 }),
      said: 'node 2 started service 0 after it knew of its revocation',
    },
  ],
  'revoked-runs-end': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 2, event: 'revoked', service: 0 }),
      said: 'node 2 runs service 0 in the end, and knows of its revocation',
    },
  ],
  'no-older-version': [
    {
      how: ({ events }) => void events.push({ ms: 1110, node: 2, event: 'superseded', service: 0, by: 1 }),
      said: 'node 2 took service 0 in after a newer version',
    },
    {
      how({ events }) {
        events.push({ ms: 3000, node: 2, event: 'superseded', service: 0, by: 1 })
        events.push({ ms: 3000, node: 2, event: 'emitted', service: 0, depth: 2 })
      },
      said: 'node 2 sent service 0 on after a newer version',
    },
  ],
  'parked-does-not-run': [
    {
      how: ({ events }) => void events.push({ ms: 1600, node: 2, event: 'parked', service: 0, on: ['replica'] }),
      said: 'node 2 started service 0, which is parked there',
    },
  ],
  'replicas-exact': [
    {
      how({ facts }) {
        facts.serviceOf = () => ({ kind: 'service', replicas: 2, endsMs: 9e6 })
      },
      said: 'service 0 runs on 3 nodes in the end; it asks for 2, and 3 are willing',
    },
    {
      how({ facts, events }) {
        facts.serviceOf = () => ({ kind: 'service', replicas: 3, endsMs: 9e6 })
        events.push({ ms: 3000, node: 1, event: 'run', service: 0, state: 'ended' })
      },
      said: 'service 0 runs on 2 nodes in the end; it asks for 3, and 3 are willing',
    },
    {
      how({ events }) {
        events.push({ ms: 3000, node: 1, event: 'superseded', service: 0, by: 1 })
        events.push({ ms: 3000, node: 2, event: 'run', service: 1, state: 'running' })
      },
      said: 'service 0 runs on 3 nodes in the end, beside its newer version 1, which must take its place',
    },
  ],
  'honest-never-graylisted': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 1, event: 'graylisted', peer: 2 }),
      said: 'node 1 graylisted node 2, which keeps the rules',
    },
  ],
}

function of(events: readonly SimEvent[], name: string, node: number): SimEvent | undefined {
  return events.find((event) => event.event === name && event.node === node)
}

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

test('what is known again, has ended, was replaced or revoked is not lost', () => {
  const restarted = goodRun()
  restarted.events.push({ ms: 9000, node: 1, event: 'restored', services: [0] })
  restarted.events.push({ ms: 8000, node: 2, event: 'revoked', service: 0 })
  restarted.events.push({ ms: 8100, node: 2, event: 'run', service: 0, state: 'ended' })
  restarted.events.push({ ms: 9000, node: 2, event: 'restored', services: [] })
  restarted.events.push({ ms: 8000, node: 0, event: 'superseded', service: 0, by: 1 })
  restarted.events.push({ ms: 9000, node: 0, event: 'restored', services: [] })
  restarted.events.push({ ms: 3_600_000, node: 3, event: 'restored', services: [] })
  expect(observed(INVARIANTS, restarted).violations).toEqual({})
})

test('where the newer version was there first, the older one need not arrive, nor run', () => {
  const updated = goodRun()
  updated.facts.serviceOf = () => ({ kind: 'service', replicas: 9, endsMs: 9e6 })
  updated.spread.firstDepth[3] = NONE
  updated.events = updated.events.filter(({ node, event }) => node !== 3 && event !== 'run')
  updated.events.push({ ms: 2000, node: 2, event: 'run', service: 0, state: 'running' })
  expect(Object.keys(observed(INVARIANTS, updated).violations)).toEqual(['neighbours-are-reached', 'replicas-exact'])
  updated.events.push({ ms: 3000, node: 3, event: 'superseded', service: 0, by: 1 })
  expect(observed(INVARIANTS, updated).violations).toEqual({})
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
