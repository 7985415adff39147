import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import type { Scenario } from '../../../src/simulation/scenario/scenario.ts'
import { createSimulatedEngine } from '../../../src/simulation/simulated-engine.ts'
import type { Outcome } from '../../../src/simulation/types.ts'

const SCENARIO = await wholeScenario(
  {
    title: 'four nodes, two services',
    seed: 'a',
    nodes: 4,
    seconds: 30,
    topology: { kind: 'random-regular', degree: 3 },
    dht: true,
    instructions: [{ at: 0, do: 'publish', count: 2, arrival: { kind: 'rate', everySeconds: 8 }, redirectionDepth: 3 }],
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
  const [again, other] = await Promise.all([logOf(SCENARIO), logOf({ ...SCENARIO, seed: 'b' })])
  expect(again.lines).toEqual(first.lines)
  expect(again.list).toEqual(first.list)
  expect(again.sha256).toBe(first.sha256)
  expect(other.sha256).not.toBe(first.sha256)
  expect(first.events).toBe(first.list.length)
  // what was published is redirected, fetched from a peer, and runs
  expect(first.counts.published).toBe(2)
  expect(first.counts.delivered).toBeGreaterThan(4)
  const named = (event: string) => first.lines.filter((line) => line.includes(`"event":"${event}"`)).length
  expect(named('code:fetch-finished')).toBeGreaterThanOrEqual(2)
  expect(named('execution:healthy')).toBeGreaterThanOrEqual(2)
})

test('a simulation that fails says why', async () => {
  await expect(engine.run({ ...SCENARIO, nodes: 0 })).rejects.toThrow('the simulation ended early: ')
})

test.each([
  ['links.loss is 0.1', { links: { ...SCENARIO.links, loss: 0.1 } }],
  ['partitions are asked for', { partitions: [{ at: 1, until: 2, cut: { share: 0.5 } }] }],
  ['instructions[0].do is "stop"', { instructions: [{ at: 1, do: 'stop', service: 0 }] }],
] as const)('what it would leave out is refused before anything starts: %s', async (sentence, part) => {
  await expect(engine.run({ ...SCENARIO, ...part } as Scenario)).rejects.toThrow(
    `${sentence}, which the simulated engine does not have; use the virtual engine`,
  )
})
