import { describe, expect, test } from 'vitest'
import { createClaimWorld, type Member, service } from './claim-world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
type Lie = Exclude<Member['lie'], undefined>

/** Nodes that all got the service; the first `liars` of the nearest ones say what `lie` says. */
function worldOf(init: { nodes: number; replicas: number; liars?: number; lie?: Lie; seed?: string }) {
  const world = createClaimWorld({ seed: 'hostile', ...init })
  const nearest = world.byDistance()
  const liars = nearest.slice(0, init.liars ?? 0)
  const honest = nearest.slice(init.liars ?? 0)
  for (const liar of liars) liar.lie = init.lie
  world.relink()
  for (const node of honest) node.receive()
  const running = () => honest.filter(({ alive, run }) => alive && run?.healthy).length
  return Object.assign(world, { liars, honest, running })
}

describe('what other nodes say', () => {
  test('nothing: peers that never answer keep nobody from starting', async () => {
    const world = worldOf({ nodes: 8, replicas: 2, liars: 5, lie: () => 'silence' })
    await world.time.advance(20 * SECOND)
    expect([world.running(), world.starts]).toEqual([2, 2])
  })

  test('as many lies as replicas: stand-bys take over within seconds when the liars are gone', async () => {
    const world = worldOf({ nodes: 6, replicas: 2, liars: 2, lie: () => ({ state: 'running', leaving: false }) })
    await world.time.advance(MINUTE)
    expect(world.running()).toBe(0)
    for (const liar of world.liars) liar.alive = false
    world.relink()
    await world.time.advance(8 * SECOND)
    expect(world.starts).toBe(2)
  })

  test('fewer lies than replicas end no run', async () => {
    const world = worldOf({ nodes: 6, replicas: 3 })
    await world.time.advance(20 * SECOND)
    const first = world.honest.filter(({ run }) => run !== undefined)
    const liar = world.honest.at(-1) as Member
    expect(liar.run).toBeUndefined()
    liar.lie = () => ({ state: 'running', leaving: false })
    await world.time.advance(5 * MINUTE)
    expect(world.honest.filter(({ run }) => run !== undefined)).toEqual(first)
  })

  test.each<[string, () => Lie]>([
    ['for ever', () => () => ({ state: 'accepted', leaving: false })],
    ['claiming', () => () => ({ state: 'claiming', leaving: false })],
    [
      'and takes it back again and again',
      () => {
        let count = 0
        return () => (count++ % 2 === 0 ? { state: 'accepted', leaving: false } : undefined)
      },
    ],
  ])('accepted, %s: it counts for 20 minutes at most', async (_name, lie) => {
    const world = worldOf({ nodes: 2, replicas: 1, liars: 1, lie: lie() })
    await world.time.advance(45 * MINUTE)
    expect(world.running()).toBe(1)
  })

  test('running, until it matters: what is asked just before the end keeps the run', async () => {
    const world = worldOf({ nodes: 2, replicas: 1, liars: 1, lie: () => undefined })
    await world.time.advance(15 * SECOND)
    const [honest, liar] = [world.honest[0] as Member, world.liars[0] as Member]
    const { run } = honest
    expect(run?.healthy).toBe(true)
    // two rounds in a row, and not the third time
    let times = 0
    liar.lie = () => (times++ % 3 < 2 ? { state: 'running', leaving: false } : undefined)
    await world.time.advance(MINUTE)
    expect([honest.run, times > 10]).toEqual([run, true])
  })
})

describe('one replica between two neighbours', () => {
  test.each(Array.from({ length: 20 }, (_, seed) => `${seed}`))('is kept by one: %s', async (seed) => {
    const world = createClaimWorld({ seed, nodes: 2, replicas: 1, latencyMs: () => 5 + Number(seed) * 20 })
    // both run it from the start, as before they were neighbours
    for (const node of world.nodes) node.receive()
    await world.time.advance(12 * SECOND)
    expect(world.runs()).toHaveLength(2)
    world.relink()
    await world.time.advance(10 * SECOND)
    expect(world.runs()).toHaveLength(1)
    expect(world.starts).toBe(2)
    expect(world.runs()).toEqual([world.byDistance()[0]])
  })
})

describe('a claim', () => {
  test('of a node that dies before it starts is taken over', async () => {
    const world = worldOf({ nodes: 5, replicas: 1 })
    await world.time.advance(1_100)
    const nearest = world.honest[0] as Member
    nearest.alive = false
    world.relink()
    await world.time.advance(20 * SECOND)
    expect(world.running()).toBe(1)
  })

  test('of a run that keeps failing gives way, and is not taken up again at once', async () => {
    const world = worldOf({ nodes: 2, replicas: 1 })
    await world.time.advance(15 * SECOND)
    const [first, second] = world.honest as [Member, Member]
    if (first.run === undefined) throw new Error('the nearest one was to run it')
    Object.assign(first.run, { healthy: false, failing: true })
    await world.time.advance(15 * SECOND)
    expect([first.run, second.run?.healthy]).toEqual([undefined, true])
    second.endRun()
    await world.time.advance(20 * SECOND)
    expect(first.run).toBeUndefined()
    await world.time.advance(MINUTE)
    expect(first.run).toBeDefined()
  })

  test('is not made where the task is done', async () => {
    const world = worldOf({ nodes: 4, replicas: 1 })
    await world.time.advance(15 * SECOND)
    const runner = world.runs()[0] as Member
    Object.assign(runner, { done: true, run: undefined, willing: false })
    await world.time.advance(5 * MINUTE)
    expect(world.starts).toBe(1)
  })
})

test('what asks while another still asks is asked back before that one starts', async () => {
  const world = createClaimWorld({ seed: 'late', nodes: 16, replicas: 1 })
  const byDistance = world.byDistance()
  const [near, far] = byDistance as [Member, Member]
  // they keep a round going for two seconds
  for (const silent of byDistance.slice(2)) silent.lie = () => 'silence'
  world.relink()
  far.receive()
  await world.time.advance(1_200)
  near.receive()
  await world.time.advance(10 * SECOND)
  expect([world.starts, world.runs()]).toEqual([1, [near]])
})

test.each<[string, number, boolean]>([
  ['alone', 0, true],
  ['among nodes that do not run it', 3, true],
  ['where another runs it', 2, false],
])('what ended with the machine, %s: it begins again: %o', async (_name, others, begins) => {
  const world = createClaimWorld({ seed: 'again', nodes: 1 + others, replicas: 1 })
  const [node, other] = [world.nodes[0], world.nodes[1]] as [Member, Member | undefined]
  world.relink()
  if (!begins) other?.receive()
  await world.time.advance(15 * SECOND)
  Object.assign(node, { willing: true, run: { number: 9, healthy: false, failing: false } })
  const ending = new AbortController()
  let wanted = false
  node.placement.untilWanted(service, { signal: ending.signal }).then(
    () => {
      wanted = true
    },
    () => {},
  )
  await world.time.advance(10 * SECOND)
  expect([wanted, node.run === undefined]).toEqual([begins, !begins])
  ending.abort()
})

test.each([500, 1_000])('answers that all take %i ms each way: nobody is taken for gone', async (latency) => {
  const world = createClaimWorld({ seed: 'slow', nodes: 10, replicas: 3, latencyMs: () => latency })
  world.relink()
  for (const node of world.nodes) node.receive()
  await world.time.advance(MINUTE)
  const runs = world.runs().map(({ run }) => run?.number)
  expect([runs.length, world.starts]).toEqual([3, 3])
  await world.time.advance(5 * MINUTE)
  expect([world.runs().map(({ run }) => run?.number), world.starts]).toEqual([runs, 3])
})
