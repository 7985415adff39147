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
    instructions: [
      { at: 1, do: 'publish', redirectionDepth: 3, replicas: 3, from: { node: 0 } },
      { at: 8, do: 'publish', redirectionDepth: 3, replicas: 3, from: { node: 0 } },
    ],
  },
  { file: 'scenario.json', folder: '.' },
)
const engine = createSimulatedEngine({ clock: systemClock() })

async function runOf(scenario: Scenario) {
  const events: SimEvent[] = []
  const outcome = await engine.run(scenario, { onEvent: (event) => void events.push(event) })
  const observing = observe(INVARIANTS, factsOf(planOf(scenario), true))
  for (const event of events) observing.onEvent(event)
  return { ...outcome, events, violations: observing.end().violations }
}

test('a process is killed at a crash point, starts again, and has lost nothing; the same crash gives the same events', {
  timeout: 240_000,
}, async () => {
  const whole = await runOf(SCENARIO)
  const points = whole.crashPoints?.[NODE] ?? 0
  expect(whole.crashPoints).toHaveLength(3)
  expect(points).toBeGreaterThan(100)
  expect(whole.events.some(({ event }) => event === 'crashed')).toBe(false)
  for (const point of [1, Math.floor(points * 0.6)]) {
    const scenario = await withCrashes(SCENARIO, [`node=${NODE},point=${point}`])
    const { events, violations, sha256 } = await runOf(scenario)
    expect([point, violations]).toEqual([point, {}])
    // the first point is passed before the scenario begins
    if (point === 1) continue
    const names = events.filter(({ node }) => node === NODE).map(({ event }) => event)
    expect(names.filter((name) => name === 'crashed' || name === 'restored')).toEqual(['crashed', 'restored'])
    expect((await runOf(scenario)).sha256).toBe(sha256)
  }
})

test.each([
  ['node=1', /^--crash is "node=1"; allowed is a node and a point/],
  ['node=9,point=1', /^--crash: crashes\[0\]\.node is 9, but the last node is 2/],
  ['node=1,point=0', /^--crash: crashes\[0\]\.point is 0; allowed is a whole number from 1 to/],
])('a crash that cannot be is one sentence: %s', async (text, sentence) => {
  await expect(withCrashes(SCENARIO, [text])).rejects.toThrow(sentence)
})
