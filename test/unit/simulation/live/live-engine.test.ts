import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SimEvent } from '../../../../src/simulation/events.ts'
import { factsOf } from '../../../../src/simulation/facts.ts'
import { INVARIANTS } from '../../../../src/simulation/invariants/index.ts'
import { createLiveEngine } from '../../../../src/simulation/live/live-engine.ts'
import { METRICS } from '../../../../src/simulation/metrics/index.ts'
import { observe } from '../../../../src/simulation/observation/observe.ts'
import { createTablesFromEvents } from '../../../../src/simulation/observation/tables-from-events.ts'
import { environmentOf } from '../../../../src/simulation/output/environment.ts'
import { planOf } from '../../../../src/simulation/plan/plan.ts'
import { InterruptedRunError, runScenario } from '../../../../src/simulation/run-scenario.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'
import type { Scenario } from '../../../../src/simulation/scenario/scenario.ts'

const PUBLISH = { do: 'publish', redirectionDepth: 4, replicas: 2, from: { node: 0 } }
const SCENARIO = await wholeScenario(
  {
    title: 'eight nodes, to which everything happens',
    nodes: 8,
    seconds: 36,
    topology: { kind: 'random-regular', degree: 7 },
    links: { latencyMs: { min: 5, max: 20 } },
    instructions: [
      { ...PUBLISH, at: 0, count: 3, arrival: { kind: 'rate', everySeconds: 1 } },
      { at: 5, do: 'leave', who: { node: 2 } },
      { ...PUBLISH, at: 7 },
      { at: 8, do: 'stop', service: 0 },
      { at: 9, do: 'revoke', service: 1, hub: 1 },
      { at: 10, do: 'attest', service: 2, hub: 1 },
      { at: 12, do: 'join', who: { node: 2 } },
      { at: 14, do: 'update', service: 2 },
      // of another author: nodes take four new services of one in a minute
      { ...PUBLISH, at: 20, kind: 'task', from: { node: 4 } },
    ],
    partitions: [{ at: 19, until: 24, cut: { node: 3 } }],
  },
  { file: 'scenario.json', folder: '.' },
)

// folders of nodes are made here, so that what is left is seen
let folder: string
let before: string | undefined
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'live-test-'))
  before = process.env.TMPDIR
  process.env.TMPDIR = folder
})
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = before
  await rm(folder, { recursive: true, force: true })
})
const left = () => readdirSync(folder).filter((name) => name.startsWith('thundercloud-live-'))

async function played(scenario: Scenario, processes: number) {
  const list: SimEvent[] = []
  const engine = createLiveEngine({ processes })
  const observing = observe([...METRICS, ...INVARIANTS], factsOf(planOf(scenario), true, 'live'))
  const { onTraffic } = observing
  const outcome = await engine.run(scenario, { onTraffic, onEvent: (event) => void list.push(event) })
  const tables = createTablesFromEvents(scenario.nodes)
  for (const event of list) {
    observing.onEvent(event)
    tables.onEvent(event)
  }
  for (const table of tables.tables()) observing.onSpread(table)
  const nodesOf = (event: string, service?: number) =>
    list.flatMap((one) =>
      one.event === event && (service === undefined || ('service' in one && one.service === service)) ? [one.node] : [],
    )
  const { values, violations } = observing.end()
  // how many start in a given time, a busy machine decides
  const { 'replicas-exact': _, ...broken } = violations
  return { list, outcome, nodesOf, values, broken }
}

test('real nodes in several processes carry out what a scenario says, and keep what must hold', {
  timeout: 300_000,
}, async () => {
  const { list, outcome, nodesOf, values, broken } = await played(SCENARIO, 3)
  expect(broken).toEqual({})
  expect(outcome.events).toBe(list.length)
  expect(list.map(({ ms }) => ms)).toEqual(list.map(({ ms }) => ms).toSorted((a, b) => a - b))
  expect(outcome.counts).toMatchObject({ published: 6, left: 1, joined: 1, restored: 1, cut: 1, healed: 1 })
  // what was published while one was away, or cut off, arrives there too; of two versions the newer one
  const all = [0, 1, 2, 3, 4, 5, 6, 7]
  for (const service of [0, 1, 3, 4, 5]) expect(nodesOf('delivered', service).toSorted(), `${service}`).toEqual(all)
  for (const service of [0, 1]) expect(new Set(nodesOf('revoked', service)).size, `${service}`).toBe(8)
  expect(values.revokedStillRunning).toBe(0)
  expect(nodesOf('run').length).toBeGreaterThan(0)
  // each hop has the latency of its link
  expect(values.deliveryLatencyP50Ms).toBeGreaterThan(5)
  // its neighbours notice that one left; itself it hears nothing any more
  expect(values.disconnects).toBeGreaterThanOrEqual(7)
  // the mesh is complete: a copy comes from more than one neighbour
  expect(values.duplicatesPerNodeAndService).toBeGreaterThan(1)
  expect(values.sentBytesPerNodeMean).toBeGreaterThan(1000)
  expect(outcome.cpuSeconds).toBeGreaterThan(0)
  expect(left()).toEqual([])
})

test('a node with a process of its own is killed, comes back with what it had written, and finds the others', {
  timeout: 300_000,
}, async () => {
  const scenario = await wholeScenario(
    {
      ...{ title: 'a crash', nodes: 4, seconds: 24, dht: true, topology: { kind: 'random-regular', degree: 3 } },
      links: { latencyMs: { min: 0, max: 0 } },
      instructions: [
        { ...PUBLISH, at: 0 },
        { at: 3, do: 'leave', who: { node: 2 }, crash: true },
        { ...PUBLISH, at: 5 },
        { at: 6, do: 'join', who: { node: 2 } },
      ],
    },
    { file: 'scenario.json', folder: '.' },
  )
  const { nodesOf, list, broken } = await played(scenario, 4)
  expect(broken).toEqual({})
  expect(nodesOf('crashed')).toEqual([2])
  expect(list.filter(({ event }) => event === 'restored')).toMatchObject([{ node: 2, services: [0] }])
  expect(nodesOf('delivered', 1).toSorted()).toEqual([0, 1, 2, 3])
  expect(left()).toEqual([])
  // with others in its process it could not be
  await expect(createLiveEngine({ processes: 3 }).run(scenario)).rejects.toThrow(
    'instructions[1].crash is true, and several nodes share a process, which the live engine does not have; use --processes 4, so that each node has a process of its own',
  )
})

test.each([
  ['attackers are asked for', { attackers: [{ kind: 'spam', share: 0.5, at: 0, perSecond: 1, target: 0 }] }],
  ['links.drop is 0.1', { links: { ...SCENARIO.links, drop: 0.1 } }],
  ['crashes at numbered points are asked for', { crashes: [{ node: 1, point: 5, downSeconds: 1, powerCut: false }] }],
  ['tickets is false', { tickets: false }],
] as const)('what it would leave out is refused before anything starts: %s', async (sentence, part) => {
  await expect(createLiveEngine({}).run({ ...SCENARIO, ...part } as Scenario)).rejects.toThrow(
    `${sentence}, which the live engine does not have; use `,
  )
})

test('what was measured before an interruption is kept, and no process or folder is left', {
  timeout: 120_000,
}, async () => {
  const stop = new AbortController()
  const engine = createLiveEngine({ processes: 2 })
  const run = runScenario(
    {
      ...engine,
      run: (scenario, options) =>
        engine.run(scenario, {
          ...options,
          onEvent(event) {
            options?.onEvent?.(event)
            if (event.event === 'delivered' && event.hops > 0) stop.abort(new Error('enough'))
          },
        }),
    },
    { scenario: SCENARIO, events: 'all', environment: await environmentOf('0.0.0'), signal: stop.signal },
  )
  const error = await run.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(InterruptedRunError)
  const { results } = error as InterruptedRunError
  expect(results).toMatchObject({ complete: false, engine: 'live', violations: {} })
  expect(results.values.deliveries).toBeGreaterThan(0)
  expect(results.notes?.join()).toContain('by a relay on this machine')
  expect(left()).toEqual([])
})
