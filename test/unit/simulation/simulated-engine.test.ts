import { expect, test } from 'vitest'
import { createSimulatedEngine } from '../../../src/simulation/simulated-engine.ts'
import type { Outcome, Scenario } from '../../../src/simulation/types.ts'

const SCENARIO: Scenario = {
  seed: 'a',
  nodes: 4,
  links: 2,
  seconds: 30,
  services: 2,
  latencyMs: { min: 20, max: 80 },
  bytesPerSecond: 10_000_000,
  redirectionDepth: 3,
  dht: true,
}
const engine = createSimulatedEngine()

async function linesOf(scenario: Scenario): Promise<Outcome & { lines: string[] }> {
  const lines: string[] = []
  const outcome = await engine.run(scenario, { onEvent: (line) => void lines.push(line) })
  return { ...outcome, lines }
}

test('whole nodes give the same events for the same seed, beside each other too, and others for another', {
  timeout: 240_000,
}, async () => {
  const first = await linesOf(SCENARIO)
  // each takes time from the others
  const [again, other] = await Promise.all([linesOf(SCENARIO), linesOf({ ...SCENARIO, seed: 'b' })])
  expect(again.lines).toEqual(first.lines)
  expect(again.sha256).toBe(first.sha256)
  expect(other.sha256).not.toBe(first.sha256)
  expect(first.events).toBe(first.lines.length)
  // what was published is redirected, fetched from a peer, and runs
  expect(first.counts['intake:received']).toBeGreaterThan(2 * SCENARIO.services)
  expect(first.counts['code:fetch-finished']).toBeGreaterThanOrEqual(SCENARIO.services)
  expect(first.counts['execution:healthy']).toBeGreaterThanOrEqual(SCENARIO.services)
})

test('a simulation that fails says why', async () => {
  await expect(engine.run({ ...SCENARIO, nodes: 0 })).rejects.toThrow('the simulation ended early: Cannot read')
})
