import { expect, test } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { createClaimWorld, type Member } from './claim-world.ts'

const SEEDS = Number(process.env.TEST_SEEDS ?? 300)

type World = ReturnType<typeof createClaimWorld>

/** What happens to the nodes of one seed, before a minute of peace. */
const disturbances: Record<string, (world: World, pick: (below: number) => number) => Promise<void>> = {
  nothing: async () => {},
  'nodes join': async (world, pick) => {
    for (const node of world.nodes) {
      if (node.willing) continue
      await world.time.advance(pick(5_000))
      node.receive()
    }
  },
  'nodes vanish': async (world, pick) => {
    for (let gone = 0; gone < Math.ceil(world.nodes.length / 4); gone++) {
      await world.time.advance(pick(6_000))
      const node = world.nodes[pick(world.nodes.length)] as Member
      node.alive = false
      world.relink()
    }
  },
  'runs end': async (world, pick) => {
    await world.time.advance(10_000 + pick(5_000))
    for (const node of world.runs().slice(0, 2)) node.endRun()
  },
  'the mesh falls apart, and heals': (world, pick) => partition(world, pick, 'closed'),
  'cables are cut, and mended': (world, pick) => partition(world, pick, 'silent'),
}

async function partition(world: World, pick: (below: number) => number, how: 'closed' | 'silent'): Promise<void> {
  await world.time.advance(pick(15_000))
  const half = 1 + pick(world.nodes.length - 1)
  world.cut = (a, b) => (a < half === b < half ? undefined : how)
  world.relink()
  await world.time.advance(30_000)
  if (process.env.DBG)
    for (const n of world.nodes)
      console.log(n.index, n.index < half, n.willing, n.parked, n.run, n.claim(), n.why, n.asked)
  for (const side of [world.nodes.slice(0, half), world.nodes.slice(half)]) expectExact(world, side)
  world.cut = () => undefined
  world.relink()
}

let replicas = 1
function expectExact(_world: World, group: readonly Member[]): void {
  const able = group.filter(({ alive, willing }) => alive && willing)
  const runs = able.filter(({ run }) => run !== undefined)
  expect(runs.length).toBe(Math.min(replicas, able.length))
  expect(runs.every(({ run }) => run?.healthy)).toBe(true)
}

const kinds = Object.keys(disturbances)

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i: as many runs as replicas', async (seed) => {
  const rng = seededRng(`placement-${seed}`)
  const pick = (below: number) => rng.int(Math.max(1, below))
  const kind = kinds[seed % kinds.length] as string
  const count = 2 + pick(19)
  replicas = 1 + pick(3)
  const [latency, skew] = [5 + pick(300), pick(200_000)]
  const world = createClaimWorld({
    seed: `${seed}`,
    nodes: count,
    replicas,
    latencyMs: (a, b) => 5 + ((a * 31 + b * 17 + a * b) % latency),
    skewMs: (node) => (node % 2 === 0 ? skew : -skew) / 2,
  })
  world.relink()
  const late = kind === 'nodes join' ? Math.floor(count / 2) : 0
  for (const node of world.nodes.slice(late)) {
    await world.time.advance(pick(400))
    node.receive()
  }
  await disturbances[kind]?.(world, pick)
  const lasting = world.runs().map(({ run }) => run?.number)
  await world.time.advance(60_000)
  expectExact(world, world.nodes)
  if (kind === 'nothing' || kind === 'nodes join') expect(world.starts).toBe(Math.min(replicas, count))
  // after a partition, those that go on were not begun again
  if (kind.includes(',')) for (const { run } of world.runs()) expect(lasting).toContain(run?.number)
  await world.end()
})
