import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SignedService } from '../../../src/intake/index.ts'
import { clique, type Edge, within } from '../../fixtures/mesh/gossip-graph.ts'
import { createGossipMesh, type GossipMesh } from '../../fixtures/mesh/gossip-mesh.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'

/** gossipsub advertises a message for three heartbeats and serves it for five: after that only sync knows. */
const BEYOND_GOSSIP_MS = 6500

let stack: AsyncDisposableStack
beforeEach(() => {
  stack = new AsyncDisposableStack()
})
afterEach(() => stack.disposeAsync())

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const LEFT = [0, 1, 2, 3, 4, 5, 6, 7]
const BRIDGE = 8
const RIGHT = [9, 10, 11, 12, 13, 14, 15, 16]

/** Two cliques of 8, joined by one node that is connected to all of both. */
async function twoCliques(bridge: (service: SignedService) => Promise<{ redirect: boolean }>): Promise<GossipMesh> {
  const toBridge = [...LEFT, ...RIGHT].map((node): Edge => [node, BRIDGE])
  const decide = async (node: number, service: SignedService) =>
    node === BRIDGE ? await bridge(service) : { redirect: true }
  const edges = [...clique(LEFT), ...clique(RIGHT), ...toBridge]
  return stack.use(await createGossipMesh({ nodes: 17, edges, seed: 'cliques', decide }))
}

test.each([
  { name: 'at once', delayMs: 0 },
  { name: 'a second after its neighbours', delayMs: 1000 },
  { name: 'after copies may wait no longer', delayMs: 2600 },
])('a service crosses a node that redirects $name', async ({ delayMs }) => {
  const mesh = await twoCliques(async () => {
    if (delayMs > 0) await pause(delayMs)
    return { redirect: true }
  })
  const service = makeService({ depth: 3 })
  await mesh.publish(0, service)
  await mesh.until(() => mesh.reached(idOf(service)).length === 16, 'all of both cliques hear')
})

test.each([
  { name: 'at once', delayMs: 0 },
  { name: 'a second after its neighbours', delayMs: 1000 },
])('a service does not cross a node that refuses $name', async ({ delayMs }) => {
  const mesh = await twoCliques(async () => {
    if (delayMs > 0) await pause(delayMs)
    return { redirect: false }
  })
  const service = makeService({ depth: 3 })
  await mesh.publish(0, service)
  await mesh.until(() => mesh.reached(idOf(service)).length === 8, 'its own clique hears')
  await mesh.until(() => mesh.member(BRIDGE).intake.stats().deciding === 0, 'the bridge has decided')
  await mesh.quiet()
  expect(mesh.reached(idOf(service))).toEqual([...LEFT.slice(1), BRIDGE])
  expect(RIGHT.flatMap((node) => mesh.arrivals(node))).toEqual([])
})

test('a node that joins when gossip has forgotten learns all that its neighbour redirects, and no other', async () => {
  const refused = new Set<string>()
  const edges = clique([0, 1, 2, 3])
  // one node refuses some; it still knows them
  const decide = async (node: number, service: SignedService) => ({
    redirect: node !== 3 || !refused.has(service.id.toString()),
  })
  const mesh = stack.use(await createGossipMesh({ nodes: 4, edges, seed: 'late', decide }))
  const expiresSoon = { issued: Math.floor(Date.now() / 1000) - 60, expires: Math.floor(Date.now() / 1000) + 6 }
  const [passed, dropped, ended, shallow] = [
    makeService({ depth: 3 }),
    makeService({ depth: 3 }),
    makeService({ depth: 3, change: expiresSoon }),
    makeService({ depth: 0 }),
  ]
  refused.add(idOf(dropped))
  const all = [passed, dropped, ended, shallow]
  for (const service of all) await mesh.publish(0, service)
  await mesh.until(() => all.every((service) => mesh.reached(idOf(service)).length === 3), 'everybody knows them')
  await pause(BEYOND_GOSSIP_MS)
  const [besideOne, besideRefuser, besidePublisher] = [await mesh.add(1), await mesh.add(3), await mesh.add(0)]
  await mesh.until(
    () => [besideOne, besideRefuser, besidePublisher].every((node) => mesh.reached(idOf(passed)).includes(node)),
    'late joiners learn',
  )
  await mesh.quiet()
  // nothing came by gossip: its bytes are forgotten, and nobody emits them twice
  const late = (service: typeof passed) => mesh.reached(idOf(service)).filter((node) => node > 3)
  expect(late(passed)).toEqual([besideOne, besideRefuser, besidePublisher])
  expect(late(dropped)).toEqual([besideOne, besidePublisher])
  expect(late(ended)).toEqual([])
  expect(late(shallow)).toEqual([besidePublisher])
  expect(mesh.member(besideOne).journal.announcements.get(idOf(passed))).toMatchObject({ depth: 2, via: 'sync' })
  expect(mesh.member(besidePublisher).journal.announcements.get(idOf(passed))).toMatchObject({ depth: 3, via: 'sync' })
})

test('the halves of a mesh, cut until gossip has forgotten and healed, learn what a neighbour redirects, and no other', async () => {
  const halves: Edge[] = [...clique([0, 1, 2, 3]), [3, 4], ...clique([5, 6, 7, 8]), [8, 9]]
  const joints: Edge[] = [
    [3, 5],
    [2, 6],
  ]
  const refused = new Set<string>()
  // at the joints two nodes refuse some services
  const decide = async (node: number, service: SignedService) => ({
    redirect: !(refused.has(service.id.toString()) && [2, 3].includes(node)),
  })
  const mesh = stack.use(await createGossipMesh({ nodes: 10, edges: [...halves, ...joints], seed: 'halves', decide }))
  const before = makeService({ depth: 8 })
  await mesh.publish(0, before)
  await mesh.until(() => mesh.reached(idOf(before)).length === 9, 'the whole mesh hears')

  for (const [a, b] of joints) await mesh.cut(a, b)
  const ofLeft = makeService({ depth: 8 })
  const ofRight = makeService({ depth: 8 })
  const short = makeService({ depth: 2 })
  const kept = makeService({ depth: 8 })
  refused.add(idOf(kept))
  for (const [node, service] of [
    [0, ofLeft],
    [9, ofRight],
    [0, short],
    [0, kept],
  ] as const)
    await mesh.publish(node, service)
  await mesh.until(() => mesh.reached(idOf(ofLeft)).length === 4, 'the left half hears its own')
  await mesh.until(() => mesh.reached(idOf(ofRight)).length === 4, 'the right half hears its own')
  await pause(BEYOND_GOSSIP_MS)
  expect(mesh.reached(idOf(ofLeft))).toEqual([1, 2, 3, 4])
  expect(mesh.reached(idOf(ofRight))).toEqual([5, 6, 7, 8])

  for (const [a, b] of joints) await mesh.connect(a, b)
  const everywhere = () => [ofLeft, ofRight].every((service) => mesh.reached(idOf(service)).length === 9)
  await mesh.until(everywhere, 'both halves learn')
  await mesh.quiet()
  const edges = [...halves, ...joints]
  expect(mesh.reached(idOf(short))).toEqual(within(edges, 0, 3))
  expect(mesh.reached(idOf(kept))).toEqual(within(edges, 0, 9, (node) => ![2, 3].includes(node)))
  // known before the cut: nobody was asked again
  expect(mesh.decided(idOf(before))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})
