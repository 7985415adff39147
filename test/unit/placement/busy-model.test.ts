import { expect, test } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { createClaimWorld, type Member } from './claim-world.ts'

const SEEDS = Number(process.env.TEST_SEEDS ?? 36)
/** Others in which a claim once began a run too many: it did not wait for who was busy, or for who had claimed a while ago. */
const FOUND = [48, 81, 100, 101, 116, 129, 133, 277, 313, 381]
/** A program is busy for so long at most, again and again. */
const BUSY_MS = 5_000
/** A connection on which nothing comes is closed after so long: an interval of pings, and the time that one may take. */
const NOTICED_MS = 25_000

type World = ReturnType<typeof createClaimWorld>
type Pick = (below: number) => number

/** What happens while some nodes are busy again and again. */
const disturbances: Record<string, (world: World, pick: Pick) => Promise<void>> = {
  nothing: (world) => world.time.advance(90_000),
  'nodes join': async (world, pick) => {
    for (const node of world.nodes) {
      if (node.willing) continue
      await world.time.advance(pick(5_000))
      node.receive()
    }
    await world.time.advance(90_000)
  },
  'connections close, and open again': (world, pick) => partition(world, pick, 'closed'),
  'a cable is cut, and mended': (world, pick) => partition(world, pick, 'silent'),
}

/** Runs that are apart, and after it. */
async function partition(world: World, pick: Pick, how: 'closed' | 'silent'): Promise<void> {
  await world.time.advance(20_000 + pick(15_000))
  const half = 1 + pick(world.nodes.length - 1)
  const cut = (to: typeof how) => {
    world.cut = (a, b) => (a < half === b < half ? undefined : to)
    world.relink()
  }
  cut(how)
  await world.time.advance(NOTICED_MS)
  cut('closed')
  await world.time.advance(60_000)
  world.calm = true
  await world.time.advance(30_000)
  for (const side of [world.nodes.slice(0, half), world.nodes.slice(half)]) expectExact(side, world.replicas)
  const lasting = new Set(world.runs().map(({ run }) => run?.number))
  world.calm = false
  world.cut = () => undefined
  world.relink()
  await world.time.advance(60_000)
  for (const { run } of world.runs()) expect(lasting).toContain(run?.number)
}

function expectExact(group: readonly Member[], replicas: number): void {
  const able = group.filter(({ alive, willing }) => alive && willing)
  const runs = able.filter(({ run }) => run !== undefined)
  expect(runs).toHaveLength(Math.min(replicas, able.length))
  expect(runs.every(({ run }) => run?.healthy)).toBe(true)
}

const kinds = Object.keys(disturbances)

const seeds = new Set([...Array.from({ length: SEEDS }, (_, seed) => seed), ...FOUND])

test.each([...seeds])(
  'seed %i: busy nodes begin as many runs as are wanted, and keep them apart and together',
  async (seed) => {
    const rng = seededRng(`busy-${seed}`)
    const pick = (below: number) => rng.int(Math.max(1, below))
    const kind = kinds[seed % kinds.length] as string
    const count = 2 + pick(11)
    const replicas = 1 + pick(3)
    const busy = 1 + pick(count)
    const freeMs = 200 + pick(4_000)
    const latency = 5 + pick(100)
    const world = createClaimWorld({
      ...{ seed: `${seed}`, nodes: count, replicas },
      latencyMs: (a, b) => 5 + ((a * 31 + b * 17 + a * b) % latency),
      lateness: (node) => (node < busy ? { busyMs: BUSY_MS, freeMs } : undefined),
    })
    world.relink()
    const late = kind === 'nodes join' ? Math.floor(count / 2) : 0
    for (const node of world.nodes.slice(late)) {
      await world.time.advance(pick(400))
      node.receive()
    }
    await disturbances[kind]?.(world, pick)
    world.calm = true
    await world.time.advance(30_000)
    expectExact(world.nodes, replicas)
    if (!kind.includes(',')) expect(world.starts).toBe(Math.min(replicas, count))
    await world.end()
  },
)
