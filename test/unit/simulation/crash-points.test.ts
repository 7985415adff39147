import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { factsOf } from '../../../src/simulation/facts.ts'
import { INVARIANTS } from '../../../src/simulation/invariants/index.ts'
import { observe } from '../../../src/simulation/observation/observe.ts'
import { planOf } from '../../../src/simulation/plan/plan.ts'
import { withCrashes } from '../../../src/simulation/scenario/crash-option.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import type { Scenario } from '../../../src/simulation/scenario/scenario.ts'
import { createSimulatedEngine } from '../../../src/simulation/simulated-engine.ts'

const NODE = 1
const SCENARIO = await wholeScenario(
  {
    ...{ title: 'three nodes', nodes: 3, seconds: 15, topology: { kind: 'random-regular', degree: 2 } },
    instructions: [{ at: 0, do: 'publish', redirectionDepth: 3, replicas: 3, from: { node: 0 } }],
  },
  { file: 'scenario.json', folder: '.' },
)
const engine = createSimulatedEngine({ clock: systemClock() })

async function runOf(scenario: Scenario) {
  const events: SimEvent[] = []
  const outcome = await engine.run(scenario, { onEvent: (event) => void events.push(event) })
  const observing = observe(INVARIANTS, factsOf(planOf(scenario), true, 'simulated'))
  for (const event of events) observing.onEvent(event)
  return { ...outcome, events, violations: observing.end().violations }
}

test('processes are killed at crash points, start again, and have lost only what a power cut took; the same crashes give the same events', {
  timeout: 240_000,
}, async () => {
  const whole = await runOf(SCENARIO)
  const points = whole.crashPoints?.[NODE] ?? 0
  expect(whole.crashPoints).toHaveLength(3)
  expect(points).toBeGreaterThan(100)
  expect(whole.events.some(({ event }) => event === 'crashed')).toBe(false)
  // the first point is passed before the scenario begins
  const killed = await withCrashes(SCENARIO, [`node=${NODE},point=${Math.floor(points * 0.6)}`, 'node=2,point=1'])
  const scenario = await withCrashes(killed, [`node=2,point=${Math.floor(points * 0.68)}`], 'powerCut')
  const [crashed, again] = await Promise.all([runOf(scenario), runOf(scenario)])
  expect(crashed.violations).toEqual({})
  const of = (index: number, ...names: string[]) =>
    crashed.events.filter(({ node, event }) => node === index && names.includes(event))
  const told = ['delivered', 'crashed', 'restored']
  expect(of(NODE, ...told).map(({ event }) => event)).toEqual(told)
  expect(of(NODE, 'restored')).toMatchObject([{ services: [0] }])
  // what a power cut took comes again
  expect(of(2, ...told).map(({ event }) => event)).toEqual([...told, 'delivered'])
  expect(of(2, 'restored')).toMatchObject([{ services: [], powerCut: true }])
  expect(again.sha256).toBe(crashed.sha256)
})

test.each([
  ['node=1', /^--crash is "node=1"; allowed is a node and a point/],
  ['node=9,point=1', /^--crash: crashes\[0\]\.node is 9, but the last node is 2/],
  ['node=1,point=0', /^--crash: crashes\[0\]\.point is 0; allowed is a whole number from 1 to/],
])('a crash that cannot be is one sentence: %s', async (text, sentence) => {
  await expect(withCrashes(SCENARIO, [text])).rejects.toThrow(sentence)
})
