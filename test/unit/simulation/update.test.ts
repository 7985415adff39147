import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { engineOf } from '../../../src/simulation/engines.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { environmentOf } from '../../../src/simulation/output/environment.ts'
import { runScenario } from '../../../src/simulation/run-scenario.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { checkSupported } from '../../../src/simulation/scenario/unsupported.ts'
import { createServiceNumbers } from '../../../src/simulation/whole/service-numbers.ts'

const PUBLISH = { at: 0, do: 'publish', redirectionDepth: 3, replicas: 1, from: { node: 0 } }
const of = (instructions: object[]) =>
  wholeScenario(
    {
      ...{ title: 'a new version', nodes: 3, seconds: 80, instructions },
      topology: { kind: 'random-regular', degree: 2 },
    },
    { file: 's.json', folder: '.' },
  )

test('a new version reaches whole nodes, one that was away too, and takes the place of the old one; what waits takes over', {
  timeout: 120_000,
}, async () => {
  const scenario = await of([
    PUBLISH,
    { at: 8, do: 'leave', who: { node: 2 }, crash: true },
    { at: 10, do: 'update', service: 0 },
    { at: 20, do: 'join', who: { node: 2 } },
    { at: 40, do: 'leave', who: { node: 1 } },
  ])
  const events: SimEvent[] = []
  const engine = engineOf('simulated', { clock: systemClock() })
  const results = await runScenario(
    { ...engine, run: (one, options) => engine.run(one, { ...options, onEvent: both(options?.onEvent, events) }) },
    { scenario, events: 'all', environment: await environmentOf('0.0.0') },
  )
  expect(results.violations).toEqual({})
  const published = events.flatMap((event) => (event.event === 'published' ? [[event.service, event.version]] : []))
  expect(published).toEqual([
    [0, 1],
    [1, 2],
  ])
  const nodesOf = (wanted: object) =>
    events.flatMap((event) =>
      Object.entries(wanted).every(([key, value]) => event[key as never] === value) ? [event.node] : [],
    )
  expect(nodesOf({ event: 'delivered', service: 1 }).sort()).toEqual([0, 1, 2])
  expect(nodesOf({ event: 'superseded', service: 0, by: 1 }).sort()).toEqual([0, 1, 2])
  expect(nodesOf({ event: 'run', service: 1, state: 'running' })).toEqual([1, 2])
  expect(results.values).toMatchObject({ services: 2, replicasFinalMin: 1, replicasFinalMax: 1 })
  // the one that does not run it waits, and takes over
  expect(nodesOf({ event: 'parked' })).toEqual([2, 2])
  expect(nodesOf({ event: 'woken', service: 1, to: 'run' })).toEqual([2])
  expect(nodesOf({ event: 'run', service: 0, state: 'ended' })).toHaveLength(1)
})

function both(onEvent: ((event: SimEvent) => void) | undefined, events: SimEvent[]) {
  return (event: SimEvent) => {
    events.push(event)
    onEvent?.(event)
  }
}

test('an update is of a service that was published before, and the virtual engine has none', async () => {
  await expect(of([{ at: 1, do: 'update', service: 0 }, PUBLISH])).rejects.toThrow(
    's.json: instructions[0].service is 0, which no instruction before this one publishes; write the update below it',
  )
  await expect(of([PUBLISH, { at: 1, do: 'update', service: 1 }])).rejects.toThrow('no instruction before this one')
  await expect(of([PUBLISH, { at: 1, do: 'update', service: 2 }])).rejects.toThrow('is 2, but 2 services are published')
  const scenario = await of([PUBLISH, { at: 1, do: 'update', service: 0 }, { at: 2, do: 'stop', service: 1 }])
  expect(() => checkSupported(scenario, 'virtual')).toThrow(
    'instructions[1].do is "update", which the virtual engine does not have; use the simulated engine',
  )
})

test('announcements of one name are its versions, in the order in which they first appear', () => {
  const versions = createServiceNumbers()
  expect(versions.publish(3)).toEqual({ name: 'service-3', version: 1 })
  expect(versions.publish(5, 3)).toEqual({ name: 'service-3', version: 2 })
  expect(versions.publish(6, 5)).toEqual({ name: 'service-3', version: 3 })
  expect(versions.learn('a', 'other', 1)).toBeUndefined()
  expect([versions.learn('a', 'service-3', 10), versions.learn('b', 'service-3', 11)]).toEqual([3, 5])
  expect([versions.learn('a', 'service-3', 10), versions.numberOf('b'), versions.numberOf('c')]).toEqual([
    3,
    5,
    undefined,
  ])
  expect(versions.upTo('service-3', 10)).toEqual([3])
  expect(versions.upTo('service-3', 12)).toEqual([3, 5])
  expect(versions.upTo('other', 12)).toEqual([])
})
