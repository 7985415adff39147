import { expect, test } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { createClaimWorld } from './claim-world.ts'

const SEEDS = Number(process.env.TEST_SEEDS ?? 60)
const STEP_MS = 50

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  'seed %i: drained, no replica is missing for a moment',
  async (seed) => {
    const rng = seededRng(`drain-${seed}`)
    const pick = (below: number) => rng.int(Math.max(1, below))
    const [replicas, latency] = [1 + pick(3), 5 + pick(300)]
    const stays = replicas + pick(4)
    const leave = 1 + pick(4)
    const world = createClaimWorld({
      seed: `${seed}`,
      nodes: stays + leave,
      replicas,
      latencyMs: (a, b) => 5 + ((a * 31 + b * 17 + a * b) % latency),
    })
    world.relink()
    for (const node of world.nodes) {
      await world.time.advance(pick(400))
      node.receive()
    }
    await world.time.advance(60_000)
    const healthy = () => world.nodes.filter(({ run }) => run?.healthy).length
    expect(healthy()).toBe(replicas)

    /** Runs that are drained first, so that as many as possible make way at once. */
    const drained = world.nodes
      .toSorted((a, b) => Number(b.run !== undefined) - Number(a.run !== undefined))
      .slice(0, leave)
    const waitMs = pick(3) === 0 ? 0 : 4_000
    let least = replicas
    const watch = async (ms: number) => {
      for (let step = 0; step < ms / STEP_MS; step++) {
        await world.time.advance(STEP_MS)
        least = Math.min(least, healthy())
      }
    }
    for (const node of drained) {
      node.drained = true
      await watch(pick(waitMs))
    }
    await watch(60_000)
    expect(least).toBe(replicas)
    expect(drained.filter(({ run }) => run !== undefined)).toEqual([])
    expect(world.nodes.filter(({ run }) => run !== undefined)).toHaveLength(replicas)
    await world.end()
  },
)

test('a node that is drained keeps its run where no other takes it', async () => {
  const world = createClaimWorld({ seed: 'alone', nodes: 2, replicas: 2 })
  world.relink()
  for (const node of world.nodes) node.receive()
  await world.time.advance(30_000)
  for (const node of world.nodes) node.drained = true
  await world.time.advance(120_000)
  expect(world.runs()).toHaveLength(2)
  await world.end()
})
