import { expect, test } from 'vitest'
import { type Draft, generateScenario } from '../../../src/simulation/fuzz/generate.ts'
import { shrink } from '../../../src/simulation/fuzz/shrink.ts'
import { type Plan, planOf } from '../../../src/simulation/plan/plan.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'

/** What one of the last two of many nodes publishes before the other leaves, among much else. */
function draftOf(nodes: number, degree: number): Draft {
  const publish = { at: 1, do: 'publish' }
  const named = { ...publish, from: { node: nodes - 1 } }
  const leave = { at: 2, do: 'leave', who: { node: nodes - 2 } }
  return {
    ...generateScenario('a', 'virtual'),
    ...{ nodes, topology: { kind: 'random-regular', degree }, partitions: [], crashes: [] },
    instructions: [
      ...Array.from({ length: 100 }, () => publish),
      ...[named, publish, leave],
      { at: 3, do: 'stop', service: 100 },
    ],
  }
}

/** Makes it smaller while `fails` says so of what is a scenario; and says how often that was asked. */
async function shrunk(draft: Draft, fails: (plan: Plan) => boolean) {
  const tried: Draft[] = []
  const check = async (candidate: Draft) => {
    tried.push(candidate)
    try {
      return fails(planOf(await wholeScenario(candidate, { file: 's.json', folder: '/' })))
    } catch {
      return false
    }
  }
  expect(await check(draft)).toBe(true)
  return { smallest: await shrink(draft, check, () => tried.length < 300), tried }
}

/** The node that leaves, and the one that publishes what is stopped: how many links are between them. */
function distance({ timeline, graph: { offsets, neighbours } }: Plan): number {
  const leaves = timeline.find((action) => action.do === 'leave')?.nodes[0]
  const stopped = timeline.find((action) => action.do === 'stop')?.service
  const publisher = timeline.find((action) => action.do === 'publish' && action.service === stopped)
  if (publisher?.do !== 'publish' || leaves === undefined) return 0
  const distances = new Map([[publisher.node, 0]])
  for (const [node, far] of distances) {
    for (const other of neighbours.subarray(offsets[node], offsets[node + 1]))
      if (!distances.has(other)) distances.set(other, far + 1)
  }
  return distances.get(leaves) ?? 0
}

test('nodes that are named have other numbers in a smaller mesh, and most instructions go at once', async () => {
  const { smallest, tried } = await shrunk(draftOf(24, 6), (plan) => distance(plan) > 0)
  expect(smallest).toMatchObject({ nodes: 2, topology: { kind: 'random-regular', degree: 1 }, links: {} })
  expect(smallest.instructions).toEqual([
    { at: 1, do: 'publish', from: { node: 1 } },
    { at: 2, do: 'leave', who: { node: 0 } },
    { at: 3, do: 'stop', service: 0 },
  ])
  expect(tried.length).toBeLessThan(60)
})

test('what needs a way of several links keeps the nodes on it', async () => {
  const { smallest } = await shrunk(draftOf(40, 3), (plan) => distance(plan) >= 3)
  expect([smallest.nodes, smallest.instructions.length]).toEqual([4, 3])
})

test('a mesh that no small random one can stand for is made smaller node by node', async () => {
  const hasRing = (plan: Plan) => plan.graph.neighbours.length / plan.graph.nodes < 2.5 && distance(plan) >= 3
  const { smallest } = await shrunk(draftOf(28, 2), (plan) => hasRing(plan) && plan.graph.nodes % 7 === 0)
  expect(smallest).toMatchObject({ nodes: 7, topology: { kind: 'edges' } })
})

test('where all nodes are neighbours, they are in each smaller mesh', async () => {
  const { smallest, tried } = await shrunk(draftOf(6, 5), ({ graph: { nodes } }) => nodes >= 3)
  expect(smallest.nodes).toBe(3)
  for (const { nodes, topology } of tried) expect(topology).toEqual({ kind: 'random-regular', degree: nodes - 1 })
})

test('no smaller one is tried when its time is over', async () => {
  const draft = draftOf(24, 6)
  expect(
    await shrink(
      draft,
      () => Promise.reject(new Error('it is tried')),
      () => false,
    ),
  ).toBe(draft)
})
