import { expect, test } from 'vitest'
import { withJournal } from '../../../src/simulation/experiments/from-journal.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { makeService, newSigner } from '../../fixtures/mesh/gossip-services.ts'

const BASE = {
  ...{ title: 'a mesh', nodes: 50, seconds: 120 },
  instructions: [
    { at: 1, do: 'publish', keywords: ['its own'] },
    { at: 60, do: 'cut', who: { share: 0.5 } },
  ],
}
const scenarioOf = (raw: object = {}) => wholeScenario({ ...BASE, ...raw }, { file: 'scenario.json', folder: '.' })
const one = newSigner()
const services = [
  makeService({ author: one, depth: 2, change: { name: 'secret-name', keywords: ['weather'], replicas: 7 } }),
  makeService({ change: { desc: 'private words', expires: Math.floor(Date.now() / 1000) + 5 } }),
  makeService({ author: one }),
].map(({ signed }, index) => ({ id: `${index}`, body: signed.bytes, receivedAt: 1000 + index * 300_000, depth: 1 }))

test('what a node received takes the place of what a scenario publishes, and who and what it was stays outside', async () => {
  const { scenario, services: count, speed } = await withJournal(await scenarioOf(), services, 'journal.sqlite')
  expect(count).toBe(3)
  // ten minutes in three quarters of two
  expect(speed).toBeCloseTo(600 / 90)
  const [first, second, third, cut] = scenario.instructions
  expect([first?.at, second?.at, third?.at]).toEqual([0, 45, 90])
  expect(first).toMatchObject({ do: 'publish', redirectionDepth: 2, keywords: ['weather'], replicas: 7, count: 1 })
  expect(second).toMatchObject({ do: 'publish', descLength: 13, lifeSeconds: 60 })
  expect(cut).toMatchObject({ do: 'cut' })
  const from = (instruction: object | undefined) => (instruction as { from: { node: number } }).from.node
  expect(from(third)).toBe(from(first))
  expect(JSON.stringify(scenario)).not.toMatch(/secret-name|private words|its own/)
})

test('nothing to replay, or an instruction about a service that is replaced, is one sentence', async () => {
  await expect(withJournal(await scenarioOf(), [], 'x/journal.sqlite')).rejects.toThrow(
    'x/journal.sqlite has no services; name the folder of a node that has received some',
  )
  const instructions = [...BASE.instructions, { at: 90, do: 'stop', service: 0 }]
  await expect(withJournal(await scenarioOf({ instructions }), services, 'x')).rejects.toThrow(
    'instructions[2].do is "stop", of a service that the scenario publishes; with services of a journal, leave it out',
  )
})
