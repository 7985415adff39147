import { describe, expect, it, test } from 'vitest'
import type { AdmissionState } from '../../../src/admission/plan/admission-state.ts'
import { planChanges, planStandBy } from '../../../src/admission/plan/plan-changes.ts'
import type { PlannedChange } from '../../../src/admission/plan/planned-change.ts'
import type { Grant, Verdict } from '../../../src/base/verdict.ts'
import type { Granted } from '../../../src/execution/index.ts'
import type { SignedService } from '../../../src/services/registry.ts'
import { makeService } from '../../fixtures/mesh/gossip-services.ts'
import { GRANT, policyOf } from '../../fixtures/node/admission-harness.ts'

const NOW = 1_700_000_000_000
const END = NOW + 1000
const signed = makeService({ depth: 3, change: { name: 'new' } }).signed as SignedService
const other = makeService({ depth: 3, change: { name: 'other' } }).signed as SignedService
const subject = { id: 'new', signed, depth: 3, predecessor: undefined, arrived: 5 }
const otherSubject = { ...subject, id: 'other', signed: other, arrived: 1 }

const { config } = policyOf(2, { LIMITS: { ...policyOf(2).config.LIMITS, EVICT: true } })
const docker: Grant = { ...GRANT, executor: 'docker' }
const PASSES = [{ rule: 'mine', outcome: 'pass', message: 'fine' }] as const
const DEFERS = [{ rule: 'mine', outcome: 'defer', message: 'not yet' }] as const
const FAILS = [{ rule: 'mine', outcome: 'fail', message: 'no' }] as const

const verdicts = {
  run: { run: GRANT, redirect: false, rank: 2, reasons: PASSES },
  moves: { run: docker, redirect: false, rank: 2, reasons: PASSES },
  evicts: { run: GRANT, redirect: false, rank: 2, evict: ['other'], reasons: PASSES },
  unknown: { run: GRANT, redirect: false, rank: 2, evict: ['nobody'], reasons: PASSES },
  park: { run: false, redirect: true, rank: 2, park: [{ on: 'policy' }], reasons: DEFERS },
  redirect: { run: false, redirect: true, reasons: FAILS },
  refuse: { run: false, redirect: false, reasons: FAILS },
} satisfies Record<string, Verdict>

const runOf = (service: string, change: Partial<Granted> = {}): Granted => {
  return { service, grant: GRANT, ending: false, begun: true, failing: false, yields: false, ...change }
}
const parkedService = (id: string, rank: number) => ({ id, on: [], rank, since: 0, arrived: 0, expires: END })
const running = (id: string, own = false) => {
  return { id, author: 'a', name: id, rank: 0, own, executor: 'docker' as const, memory: 0, cpu: 0, disk: 0, pids: 0 }
}

type Change = Partial<Omit<AdmissionState, 'service'>> & { service?: Partial<AdmissionState['service']> }

/** A node with capacity for two runs and one parked service, where nothing runs and nothing is parked. */
function stateWith({ service, ...change }: Change = {}): AdmissionState {
  const { MEMORY, CPU, DISK, PIDS } = config.LIMITS.TOTAL
  const limits = { memoryBytes: MEMORY, cpuMillicores: CPU, diskBytes: DISK, pids: PIDS, runs: 2 }
  const executors = [{ name: 'host' as const }, { name: 'docker' as const }]
  const known = { author: 'a', final: undefined, begins: true, placed: true, until: END, graceMs: undefined, older: [] }
  return {
    mayRedirect: true,
    limits,
    resultBytes: 0,
    runs: [],
    claims: [],
    dormitory: { now: NOW, max: 1, parked: new Map() },
    sinceEvent: 7,
    facts: { config, own: 'me', capacity: { ...limits, executors }, running: [running('other')] },
    ended: new Set(),
    service: { id: 'new', ...known, ...service },
    serviceOf: (id) => (id === 'other' ? { id, ...known, subject: otherSubject } : undefined),
    verdictOf: (id) => (id === 'new' ? undefined : verdicts.run),
    ...change,
  }
}

const parkedWith = (...all: ReturnType<typeof parkedService>[]) => {
  return { dormitory: { now: NOW, max: 1, parked: new Map(all.map((one) => [one.id, one])) } }
}
const failingAnd = (other: string) => [runOf('old', { failing: true }), runOf(other)]
const full = { runs: [runOf('other'), runOf('third')] }
const final = { rule: 'node', outcome: 'fail', message: 'a task is not begun twice' } as const

/** A step in one line: what, which service, and what matters of it. */
function short(change: PlannedChange): string {
  switch (change.do) {
    case 'start':
      return `start ${change.subject.id}${change.replaces === undefined ? '' : ` after ${change.replaces}`}`
    case 'claim':
      return `claim ${change.id}${change.now ? ' now' : ''}`
    case 'stop':
      return `stop ${change.id}${change.graceMs === undefined ? '' : ` in ${change.graceMs}`}`
    case 'park':
      return `park ${change.service.id} since ${change.sinceEvent}${change.isNew ? ' new' : ''}`
    case 'unpark':
      return `unpark ${change.id}`
    case 'record': {
      const { run, park = [], redirect, reasons } = change.verdict
      const what =
        run !== false ? 'run' : park.length > 0 ? `parked on ${park[0]?.on}` : redirect ? 'redirected' : 'refused'
      const from = change.displaced === undefined ? '' : ` displaced from ${change.displaced.from}`
      return `record ${change.id} ${what} by ${reasons[0]?.rule}${from}${change.moves === undefined ? '' : ` to ${change.moves}`}`
    }
  }
}

const START = ['start new', 'unpark new', 'record new run by mine']
const NO_CAPACITY = ['park new since 7 new', 'record new parked on capacity by capacity']
const CLAIMS = ['unpark new', 'claim new', 'record new run by mine']
const STAYS = ['unpark new', 'record new run by mine']
const EVICTS = [
  'start new',
  'unpark new',
  'park other since Infinity new',
  'record other parked on capacity by eviction displaced from run',
  'record new run by mine',
]
const LOSES_SLOT = ['unpark other', 'record other redirected by dormitory displaced from run']
const WAITS = ['park new since 7 new', 'record new parked on policy by mine']
const GOES = ['unpark new', 'record new redirected by mine']
const REFUSED = ['unpark new', 'record new refused by mine']
const NOT_MINE = ['unpark new', 'record new redirected by node']

const states = {
  idle: stateWith(),
  'idle, REDIRECT never': stateWith({ mayRedirect: false }),
  parked: stateWith(parkedWith(parkedService('new', 2))),
  'dormitory full of lower ones': stateWith(parkedWith(parkedService('low', 1))),
  'dormitory full of higher ones': stateWith(parkedWith(parkedService('high', 3))),
  'no capacity': stateWith(full),
  'parked, no capacity': stateWith({ ...full, ...parkedWith(parkedService('new', 2)) }),
  'no capacity, dormitory full': stateWith({ ...full, ...parkedWith(parkedService('high', 3)) }),
  runs: stateWith({ runs: [runOf('new')] }),
  'runs, and is final': stateWith({ runs: [runOf('new')], service: { final } }),
  'runs unsafe code': stateWith({ runs: [runOf('new')], service: { graceMs: 0 } }),
  ending: stateWith({ runs: [runOf('new', { ending: true })] }),
  'other nodes are not asked': stateWith({ service: { placed: false } }),
  'other nodes are not asked, no capacity': stateWith({ ...full, service: { placed: false } }),
  'an older version runs, other nodes are not asked': stateWith({
    runs: [runOf('old')],
    service: { older: ['old'], placed: false },
  }),
  'others claim the capacity': stateWith({ runs: [runOf('other')], claims: [{ service: 'third', grant: GRANT }] }),
  'claims the capacity itself': stateWith({ runs: [runOf('other')], claims: [{ service: 'new', grant: GRANT }] }),
  'a task that has run, of which other nodes are not asked': stateWith({
    service: { begins: false, placed: false },
  }),
  'a task that has run': stateWith({ service: { begins: false } }),
  'an older version runs': stateWith({ runs: [runOf('old')], service: { older: ['between', 'old'] } }),
  'an older version keeps ending, no capacity': stateWith({ runs: failingAnd('third'), service: { older: ['old'] } }),
}

type Expected = Partial<Record<keyof typeof states, string[]>>

const table: Record<keyof typeof verdicts, Expected> = {
  run: {
    idle: START,
    parked: START,
    'no capacity': NO_CAPACITY,
    'no capacity, dormitory full': ['unpark new', 'record new redirected by dormitory'],
    runs: STAYS,
    ending: NO_CAPACITY,
    'other nodes are not asked': CLAIMS,
    'other nodes are not asked, no capacity': NO_CAPACITY,
    'an older version runs, other nodes are not asked': CLAIMS.with(1, 'claim new now'),
    'others claim the capacity': NO_CAPACITY,
    'claims the capacity itself': START,
    'a task that has run': STAYS,
    'a task that has run, of which other nodes are not asked': STAYS,
    'an older version runs': ['start new after old', ...STAYS],
    'an older version keeps ending, no capacity': ['stop old', ...NO_CAPACITY],
  },
  moves: {
    idle: START,
    runs: ['stop new', 'park new since 7 new', 'record new parked on capacity by toolchain to docker'],
    'runs, and is final': ['stop new', ...NOT_MINE],
  },
  evicts: {
    idle: START,
    'no capacity': EVICTS,
    'parked, no capacity': EVICTS,
    'dormitory full of lower ones': START,
    'no capacity, dormitory full': ['start new', 'unpark new', ...LOSES_SLOT, 'record new run by mine'],
    ending: NO_CAPACITY,
  },
  unknown: { idle: NOT_MINE, 'no capacity': NOT_MINE, parked: NOT_MINE, runs: STAYS },
  park: {
    idle: WAITS,
    parked: ['park new since 7', 'record new parked on policy by mine'],
    'dormitory full of lower ones': WAITS.toSpliced(1, 0, 'record low redirected by dormitory displaced from parked'),
    'dormitory full of higher ones': ['unpark new', 'record new redirected by dormitory'],
    runs: ['stop new', ...WAITS],
    'runs, and is final': ['stop new', ...NOT_MINE],
    'an older version runs': WAITS,
  },
  redirect: {
    idle: GOES,
    parked: GOES,
    runs: ['stop new', ...GOES],
    'runs, and is final': ['stop new', ...GOES],
    ending: GOES,
    'an older version runs': ['stop old', ...GOES],
  },
  refuse: {
    idle: REFUSED,
    'idle, REDIRECT never': REFUSED,
    runs: ['stop new', ...REFUSED],
    'runs unsafe code': ['stop new in 0', ...REFUSED],
    'an older version runs': ['stop old', ...REFUSED],
  },
}

const rows = Object.entries(table).flatMap(([verdict, expected]) =>
  Object.entries(expected).map(([state, steps]) => ({ verdict, state, steps }) as Row),
)
type Row = { verdict: keyof typeof verdicts; state: keyof typeof states; steps: string[] }

describe('what follows from a verdict', () => {
  it.each(rows)('$verdict, where the state is: $state', ({ verdict, state, steps }) => {
    expect(planChanges(subject, verdicts[verdict], states[state]).map(short)).toEqual(steps)
  })

  test('whatever the state, the last step records the verdict, and nothing runs without a grant', () => {
    for (const verdict of Object.values(verdicts)) {
      for (const state of Object.values(states)) {
        const changes = planChanges(subject, verdict, state)
        expect(changes.at(-1)).toMatchObject({ do: 'record', id: 'new' })
        const starts = changes.some((change) => change.do === 'start')
        expect(starts && verdict.run === false).toBe(false)
        const parks = changes.some((change) => change.do === 'park' && change.service.id === 'new')
        expect(parks && changes.some((change) => change.do === 'unpark' && change.id === 'new')).toBe(false)
      }
    }
  })
})

test('of two that make way, the second may take the place of the first, which then says both', () => {
  const others = ['a', 'b'].map((id, arrived) => ({ ...otherSubject, id, arrived: 2 - arrived }))
  const state = stateWith({
    limits: { ...stateWith().limits, runs: 1 },
    runs: [runOf('a'), runOf('b')],
    facts: { ...stateWith().facts, running: [running('a'), running('b')] },
    serviceOf: (id) => {
      const found = others.find((one) => one.id === id)
      return found && { ...stateWith().service, id, subject: found }
    },
  })
  const changes = planChanges(subject, { ...verdicts.evicts, evict: ['a', 'b'] }, state)
  expect(changes.map(short)).toEqual([
    'start new',
    'unpark new',
    'park a since Infinity new',
    'record a parked on capacity by eviction displaced from run',
    'park b since Infinity new',
    'record a redirected by dormitory displaced from parked',
    'record b parked on capacity by eviction displaced from run',
    'record new run by mine',
  ])
  const last = changes.findLast((change) => change.do === 'record' && change.id === 'a')
  expect(last).toMatchObject({ verdict: { reasons: [{ rule: 'dormitory' }, { rule: 'eviction' }, { rule: 'mine' }] } })
})

describe('what follows where other nodes go first', () => {
  const why = '3 of 3 replicas are claimed by nearer nodes'
  const parks = ['park new since 7 new', 'record new parked on replica by replicas']
  it.each<[string, keyof typeof states, string[]]>([
    ['a claim is parked', 'idle', parks],
    ['a run ends, and is parked', 'runs', ['stop new', ...parks]],
    ['a task that has begun ends for good', 'runs, and is final', ['stop new', ...NOT_MINE]],
    ['an older version goes on until the update is healthy elsewhere', 'an older version runs', parks],
  ])('%s', (_name, state, steps) => {
    const changes = planStandBy(subject, verdicts.run, why, states[state])
    expect(changes.map(short)).toEqual(steps)
    expect(changes.find((change) => change.do === 'stop')?.why ?? why).toBe(why)
  })
})
