import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { factsOf } from '../../../src/simulation/facts.ts'
import { INVARIANTS } from '../../../src/simulation/invariants/index.ts'
import { METRICS } from '../../../src/simulation/metrics/index.ts'
import { observe } from '../../../src/simulation/observation/observe.ts'
import { createTablesFromEvents } from '../../../src/simulation/observation/tables-from-events.ts'
import { planOf } from '../../../src/simulation/plan/plan.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import type { Scenario } from '../../../src/simulation/scenario/scenario.ts'
import { createSimulatedEngine } from '../../../src/simulation/simulated-engine.ts'
import type { Outcome } from '../../../src/simulation/types.ts'

const PUBLISH = { do: 'publish', redirectionDepth: 3, replicas: 4, from: { node: 0 } }
const SCENARIO = await wholeScenario(
  {
    title: 'four nodes, to which everything happens',
    seed: 'a',
    nodes: 4,
    seconds: 52,
    topology: { kind: 'random-regular', degree: 3 },
    links: { jitterMs: 5, loss: 0.02 },
    verdictMs: { min: 1, max: 9 },
    dht: true,
    instructions: [
      { ...PUBLISH, at: 0, count: 2, arrival: { kind: 'rate', everySeconds: 4 } },
      { at: 8, do: 'leave', who: { node: 2 }, crash: true },
      { ...PUBLISH, at: 9 },
      { at: 10, do: 'stop', service: 0 },
      { at: 12, do: 'join', who: { node: 2 } },
      { at: 18, do: 'revoke', service: 1, hub: 1 },
      { at: 20, do: 'attest', service: 2, hub: 1 },
      { at: 24, do: 'leave', who: { node: 3 } },
      { at: 27, do: 'join', who: { node: 3 } },
      { ...PUBLISH, at: 32 },
    ],
    partitions: [{ at: 31, until: 38, cut: { node: 1 } }],
  },
  { file: 'scenario.json', folder: '.' },
)
const engine = createSimulatedEngine({ clock: systemClock() })

type Log = Pick<Outcome, 'sha256' | 'events' | 'counts'> & {
  readonly events: number
  readonly list: readonly SimEvent[]
  readonly lines: readonly string[]
}

async function logOf(scenario: Scenario): Promise<Log> {
  const list: SimEvent[] = []
  const lines: string[] = []
  const options = {
    onEvent: (event: SimEvent) => void list.push(event),
    onNodeEvent: (line: string) => void lines.push(line),
  }
  return { ...(await engine.run(scenario, options)), list, lines }
}

test('whole nodes give the same events for the same seed, beside each other too, and others for another', {
  timeout: 240_000,
}, async () => {
  const first = await logOf(SCENARIO)
  // each takes time from the others
  const [again, other] = await Promise.all([logOf(SCENARIO), logOf({ ...SCENARIO, seed: 'b', seconds: 1 })])
  expect(again.lines).toEqual(first.lines)
  expect(again.list).toEqual(first.list)
  expect(again.sha256).toBe(first.sha256)
  expect(other.lines.slice(0, 20)).not.toEqual(first.lines.slice(0, 20))
  expect(first.events).toBe(first.list.length)
  // what was published is redirected, fetched from a peer, and runs
  expect(first.counts.published).toBe(4)
  const named = (event: string) => first.lines.filter((line) => line.includes(`"event":"${event}"`)).length
  expect(named('code:fetch-finished')).toBeGreaterThanOrEqual(2)
  expect(named('execution:healthy')).toBeGreaterThanOrEqual(2)
  const nodesOf = (event: string, service?: number) =>
    first.list.flatMap((one) =>
      one.event === event && (service === undefined || ('service' in one && one.service === service)) ? [one.node] : [],
    )
  // all four get everything: what was published while one was away, or cut off, too
  for (const service of [0, 1, 2, 3]) expect(nodesOf('delivered', service).sort(), `${service}`).toEqual([0, 1, 2, 3])
  // node 2 was away while the stop spread
  for (const service of [0, 1]) expect(new Set(nodesOf('revoked', service)).size, `${service}`).toBe(4)
  expect(nodesOf('attested', 2)).toHaveLength(4)
  expect({ crashed: nodesOf('crashed'), left: nodesOf('left'), joined: nodesOf('joined') }).toEqual({
    ...{ crashed: [2], left: [3], joined: [2, 3] },
  })
  expect([nodesOf('cut'), nodesOf('healed')]).toEqual([[1], [1]])
  // what is revoked runs nowhere in the end
  const observing = observe([...METRICS, ...INVARIANTS], factsOf(planOf(SCENARIO), true, 'simulated'))
  const tables = createTablesFromEvents(4)
  for (const event of first.list) {
    observing.onEvent(event)
    tables.onEvent(event)
  }
  for (const table of tables.tables()) observing.onSpread(table)
  const { values, violations } = observing.end()
  expect(violations).toEqual({})
  expect(values.revokedStillRunning).toBe(0)
  // its publisher runs none of them
  expect(values.replicasFinalMax).toBe(3)
})

test('a simulation that fails says why', async () => {
  await expect(engine.run({ ...SCENARIO, nodes: 0 })).rejects.toThrow('the simulation ended early: ')
})

test.each([
  ['links.drop is 0.1', { links: { ...SCENARIO.links, drop: 0.1 } }],
  ['attackers are asked for', { attackers: [{ kind: 'spam', share: 0.5, at: 0, perSecond: 1, target: 0 }] }],
  ['tickets is false', { tickets: false }],
  ['scoring is false', { scoring: false }],
] as const)('what it would leave out is refused before anything starts: %s', async (sentence, part) => {
  await expect(engine.run({ ...SCENARIO, ...part } as Scenario)).rejects.toThrow(
    `${sentence}, which the simulated engine does not have; use `,
  )
})
