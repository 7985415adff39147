import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { engineOf } from '../../../src/simulation/engines.ts'
import type { SimEvent } from '../../../src/simulation/events.ts'
import { fuzz } from '../../../src/simulation/fuzz/fuzz.ts'
import { type Draft, generateScenario } from '../../../src/simulation/fuzz/generate.ts'
import { shrink } from '../../../src/simulation/fuzz/shrink.ts'
import { planOf } from '../../../src/simulation/plan/plan.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { checkSupported } from '../../../src/simulation/scenario/unsupported.ts'
import type { Engine, RunOptions } from '../../../src/simulation/types.ts'

const clock = systemClock()
const virtual = engineOf('virtual', { clock })
const INIT = {
  ...{ seed: 'a', runs: 20, shrinkRuns: 200, signal: new AbortController().signal, clock },
  ...{ more: () => true, onRun: () => {}, onShrink: () => {} },
}

/** The virtual engine, in which a node that was cut off sends on once more what it gets then. */
const faulty: typeof virtual = {
  ...virtual,
  run(scenario, options: RunOptions = {}) {
    const cut = new Set<number>()
    const onEvent = (event: SimEvent) => {
      options.onEvent?.(event)
      if (event.event === 'cut') cut.add(event.node)
      if (event.event === 'emitted' && cut.has(event.node)) options.onEvent?.(event)
    }
    return virtual.run(scenario, { ...options, onEvent })
  },
}

test.each(['virtual', 'simulated'] as const)(
  'what is generated for the %s engine is a scenario, the same for a seed',
  async (name) => {
    const kinds = new Set<string>()
    let apart = 0
    for (let seed = 0; seed < 200; seed++) {
      const draft = generateScenario(`${seed}`, name)
      expect(generateScenario(`${seed}`, name)).toEqual(draft)
      const scenario = await wholeScenario(draft, { file: `${seed}`, folder: '/' })
      checkSupported(scenario, name)
      for (const { do: what } of draft.instructions) kinds.add(what)
      if (draft.crashes.length > 0) kinds.add('crash')
      if (draft.partitions.length > 0) kinds.add('cut')
      try {
        planOf(scenario)
      } catch (error) {
        expect(String(error)).toContain('topology')
        apart++
      }
    }
    expect(apart).toBeLessThan(20)
    const always = ['publish', 'stop', 'revoke', 'leave', 'join', 'cut']
    expect([...kinds].sort()).toEqual(
      [...always, ...(name === 'simulated' ? ['attest', 'crash', 'update'] : [])].sort(),
    )
  },
)

test('no scenario of a few breaks an invariant of the virtual engine', async () => {
  expect(await fuzz(virtual, INIT)).toEqual({ runs: 20, failure: undefined })
})

test('what breaks an invariant is found and made small, and still breaks it', async () => {
  const { runs, failure } = await fuzz(faulty, { ...INIT, runs: 100 })
  expect(runs).toBeLessThan(100)
  expect(failure).toMatchObject({
    breaks: 'no-emission-twice',
    said: expect.stringMatching(/^node \d+ sent service 0 on /),
  })
  const { nodes, instructions, partitions, crashes, groups } = failure?.scenario ?? generateScenario('1', 'virtual')
  expect(instructions.map(({ do: what }) => what)).toEqual(['publish'])
  expect([partitions.length, crashes.length, groups.length]).toEqual([1, 0, 1])
  expect(nodes).toBeLessThanOrEqual(4)
  const again = await fuzz(faulty, { ...INIT, runs: 100 })
  expect(again.failure).toEqual(failure)
})

test('a run that fails is found, and a signal ends it all', async () => {
  const failing = {
    ...virtual,
    run: async () => {
      throw new Error('it stands still')
    },
  } satisfies Engine
  const { failure } = await fuzz(failing, { ...INIT, shrinkRuns: 3 })
  expect(failure).toMatchObject({ breaks: 'run-ends', said: 'it stands still' })
  const interrupt = new AbortController()
  setImmediate(() => interrupt.abort(new Error('interrupted')))
  await expect(fuzz(virtual, { ...INIT, signal: interrupt.signal })).rejects.toThrow('interrupted')
})

test('a signal while a scenario is made smaller leaves the smallest so far', async () => {
  const interrupt = new AbortController()
  const init = {
    ...INIT,
    runs: 100,
    signal: interrupt.signal,
    onShrink: () => interrupt.abort(new Error('interrupted')),
  }
  const { failure } = await fuzz(faulty, init)
  expect(failure?.breaks).toBe('no-emission-twice')
  expect(failure?.scenario).not.toEqual(failure?.generated)
  const whole = await fuzz(faulty, { ...INIT, runs: 100 })
  expect(failure?.generated).toEqual(whole.failure?.generated)
  expect(failure?.scenario).not.toEqual(whole.failure?.scenario)
})

test('what is about a service goes with it, and later ones have other numbers', async () => {
  const generated = generateScenario('a', 'virtual')
  const publish = { at: 1, do: 'publish' }
  const draft: Draft = {
    ...generated,
    instructions: [
      ...[publish, publish, publish],
      { at: 2, do: 'update', service: 0 },
      { at: 3, do: 'update', service: 2 },
      { at: 3, do: 'stop', service: 3 },
      { at: 4, do: 'stop', service: 4 },
    ],
  }
  const stops = async ({ instructions }: Draft) =>
    instructions.some(({ at, service }) => at === 4 && service !== undefined)
  const { instructions, nodes } = await shrink(draft, stops, () => true)
  expect(nodes).toBe(2)
  expect(instructions).toEqual([publish, { at: 3, do: 'update', service: 0 }, { at: 4, do: 'stop', service: 1 }])
})
