import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { createSimulatedEngine } from '../../../src/simulation/simulated-engine.ts'
import { createVirtualEngine } from '../../../src/simulation/virtual/virtual-engine.ts'

/**
 * Nothing is left to chance but the order of copies that reach a node within a few milliseconds of one another: timers of
 * the simulated wire are whole milliseconds. With this seed no verdict falls between two such copies.
 */
const SCENARIO = await wholeScenario(
  {
    title: 'thirty nodes with three policies',
    nodes: 30,
    seconds: 8,
    topology: { kind: 'random-regular', degree: 5 },
    links: { latencyMs: { min: 20, max: 120 } },
    groups: [
      { name: 'willing', share: 0.6, policy: { REDIRECT: 'always' } },
      { name: 'silent', share: 0.2, policy: { REDIRECT: 'never' } },
      { name: 'picky', share: 0.2, policy: { REDIRECT: 'always', KEYWORDS: ['music'], REDIRECTION_DEPTH: 3 } },
    ],
    instructions: [{ at: 0, do: 'publish', count: 2, redirectionDepth: 5, arrival: { kind: 'rate', everySeconds: 5 } }],
  },
  { file: 'scenario.json', folder: '.' },
)

test('the model delivers, decides and sends on as whole nodes with the real gossip do', {
  timeout: 600_000,
}, async () => {
  const clock = systemClock()
  const listOf = async (engine: ReturnType<typeof createVirtualEngine>) => {
    const list: SimEvent[] = []
    await engine.run(SCENARIO, { onEvent: (event) => void list.push(event) })
    return list
  }
  const virtual = await listOf(createVirtualEngine({ clock }))
  const simulated = await listOf(createSimulatedEngine({ clock }))
  const keysOf = (list: readonly SimEvent[], name: 'delivered' | 'verdict' | 'emitted') =>
    list.flatMap((event) => (event.event === name ? [keyOf(event)] : [])).sort()
  expect(keysOf(virtual, 'delivered')).toHaveLength(60)
  for (const name of ['delivered', 'verdict', 'emitted'] as const)
    expect(keysOf(virtual, name), name).toEqual(keysOf(simulated, name))
  const timesOf = (list: readonly SimEvent[]) =>
    new Map(list.flatMap((event) => (event.event === 'delivered' ? [[keyOf(event), event.ms] as const] : [])))
  const times = timesOf(simulated)
  const later = [...timesOf(virtual)].map(([key, ms]) => Math.abs((times.get(key) ?? Number.NaN) - ms))
  // of some hundred: each hop is rounded up to a millisecond
  expect(Math.max(...later)).toBeLessThan(10)
})

/** Everything that an event says but its time. */
function keyOf({ ms: _ms, ...event }: SimEvent): string {
  return JSON.stringify(Object.entries(event).sort())
}
