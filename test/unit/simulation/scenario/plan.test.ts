import { expect, test } from 'vitest'
import {
  createLinkList,
  type Graph,
  graphOf,
  linkEnds,
  linkIndex,
  reachable,
} from '../../../../src/simulation/plan/graph.ts'
import { planOf } from '../../../../src/simulation/plan/plan.ts'
import { fastRandom, shuffled } from '../../../../src/simulation/plan/random.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'

const planned = async (raw: object) => {
  const whole = { title: 'a plan', nodes: 400, seconds: 600, ...raw }
  return planOf(await wholeScenario(whole, { file: 'scenario.json', folder: '.' }))
}
const degrees = ({ offsets, nodes }: Graph) =>
  Array.from({ length: nodes }, (_, node) => (offsets[node + 1] ?? 0) - (offsets[node] ?? 0))
const matrix = [
  [5, 90],
  [80, 7],
]
const regions = { latencyMs: { regions: ['a', 'b'], matrix, shares: [0.25, 0.75] } }

test.each([
  ['random regular', { kind: 'random-regular', degree: 8 }, 8],
  ['random regular, odd', { kind: 'random-regular', degree: 7 }, 7],
  ['small world', { kind: 'small-world', degree: 6, rewire: 0.1 }, 6],
  ['scale free', { kind: 'scale-free', links: 4 }, 8],
  ['regions', { kind: 'regions', degree: 8, local: 0.75 }, 8],
])('%s: each link is there from both ends, once, and joins two nodes', async (_name, topology, mean) => {
  const { graph } = await planned({ topology, links: regions })
  expect(reachable(graph)).toBe(400)
  const all = degrees(graph)
  // a few links fall together
  expect(all.reduce((sum, degree) => sum + degree, 0) / 400).toBeGreaterThan(mean * 0.95)
  expect(all.reduce((sum, degree) => sum + degree, 0) / 400).toBeLessThanOrEqual(mean)
  const slots = 100
  const ends = linkEnds(graph, slots)
  for (let node = 0; node < 400; node++) {
    for (let at = graph.offsets[node] ?? 0; at < (graph.offsets[node + 1] ?? 0); at++) {
      const other = graph.neighbours[at] ?? -1
      expect(other).not.toBe(node)
      const place = (ends[at] ?? 0) - other * slots
      const back = (graph.offsets[other] ?? 0) + place
      expect(linkIndex(graph, other, node)).toBe(back)
      expect(graph.neighbours[back]).toBe(node)
    }
  }
})

test.each([2, 3, 5, 6, 9])('%i nodes that have links to all others have them', async (nodes) => {
  for (const seed of ['1', '2', '3']) {
    const { graph } = await planned({ nodes, seed, topology: { kind: 'random-regular', degree: nodes - 1 } })
    expect(degrees(graph)).toEqual(Array.from({ length: nodes }, () => nodes - 1))
  }
})

test('a scale-free mesh has hubs, a small world shortcuts, regions stay among themselves', async () => {
  const free = await planned({ topology: { kind: 'scale-free', links: 4 } })
  expect(Math.max(...degrees(free.graph))).toBeGreaterThan(30)
  const { graph, regionOf } = await planned({ topology: { kind: 'regions', degree: 8, local: 0.75 }, links: regions })
  expect(regionOf.filter((region) => region === 0)).toHaveLength(100)
  let inside = 0
  for (let node = 0; node < 400; node++) {
    const others = graph.neighbours.subarray(graph.offsets[node], graph.offsets[node + 1])
    inside += others.filter((other) => regionOf[other] === regionOf[node]).length
  }
  expect(inside / graph.neighbours.length).toBeGreaterThan(0.75)
})

test('latencies follow from the seed alone, within their range; a matrix has a direction', async () => {
  const first = await planned({ links: { latencyMs: { min: 10, max: 20 } } })
  const again = await planned({ links: { latencyMs: { min: 10, max: 20 } } })
  const other = await planned({ seed: '2', links: { latencyMs: { min: 10, max: 20 } } })
  const all = Array.from({ length: 100 }, (_, index) => [index, (index * 7 + 1) % 400] as const)
  expect(all.map(([a, b]) => again.latencyMs(a, b))).toEqual(all.map(([a, b]) => first.latencyMs(b, a)))
  expect(all.map(([a, b]) => other.latencyMs(a, b))).not.toEqual(all.map(([a, b]) => first.latencyMs(a, b)))
  expect(all.every(([a, b]) => first.latencyMs(a, b) >= 10 && first.latencyMs(a, b) < 20)).toBe(true)
  const { latencyMs, regionOf } = await planned({ links: regions })
  expect(latencyMs(regionOf.indexOf(0), regionOf.indexOf(1))).toBe(90)
  expect(latencyMs(regionOf.indexOf(1), regionOf.indexOf(0))).toBe(80)
})

test('what happens is in order: publications numbered as they stand, churn in pairs, partitions that end', async () => {
  const { timeline, groupOf } = await planned({
    groups: [
      { name: 'a', share: 0.9 },
      { name: 'b', share: 0.1 },
    ],
    churn: { sharePerMinute: 0.1 },
    partitions: [{ at: 100, until: 200, cut: { groups: ['b'] } }],
    instructions: [
      { at: 300, do: 'publish', count: 3, arrival: { kind: 'poisson', perSecond: 1 }, from: { groups: ['b'] } },
      { at: 10, do: 'publish', count: 2, arrival: { kind: 'rate', everySeconds: 5 } },
    ],
  })
  expect(timeline.map(({ ms }) => ms)).toEqual(timeline.map(({ ms }) => ms).toSorted((a, b) => a - b))
  const publications = timeline.filter((action) => action.do === 'publish')
  expect(publications.map(({ service }) => service)).toEqual([3, 4, 0, 1, 2])
  expect(publications.slice(0, 2).map(({ ms }) => ms)).toEqual([10_000, 15_000])
  expect(publications.slice(2).every(({ node }) => groupOf[node] === 1)).toBe(true)
  const leaves = timeline.filter((action) => action.do === 'leave')
  expect(leaves.length).toBeGreaterThan(300)
  expect(leaves.some(({ crash }) => crash) && leaves.some(({ crash }) => !crash)).toBe(true)
  const cut = timeline.find((action) => action.do === 'cut')
  expect([...(cut?.nodes ?? [])]).toEqual([...groupOf.keys()].filter((node) => groupOf[node] === 1))
  expect(timeline.find((action) => action.do === 'heal')?.ms).toBe(200_000)
})

test.each([2, 3, 7, 8])('a random regular mesh of degree %i is that of its links, each looked at', async (degree) => {
  for (const nodes of [11 + (degree % 2), 40]) {
    const { graph } = await planned({ nodes, topology: { kind: 'random-regular', degree } })
    const random = fastRandom('1/topology')
    const links = createLinkList(100)
    for (let ring = 0; ring < Math.floor(degree / 2); ring++) {
      const order = [...shuffled(nodes, random)]
      for (const [index, node] of order.entries()) links.add(node, order[(index + 1) % nodes] as number)
    }
    const pairs = degree % 2 === 1 ? [...shuffled(nodes, random)] : []
    for (let at = 0; at + 1 < pairs.length; at += 2) links.add(pairs[at] as number, pairs[at + 1] as number)
    expect(graph).toEqual(graphOf(nodes, links.ends()))
  }
})
