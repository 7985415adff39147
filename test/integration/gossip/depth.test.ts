import { afterEach, expect, test } from 'vitest'
import { type Edge, sorted, sparseGraph, star, within } from '../../fixtures/mesh/gossip-graph.ts'
import { createGossipMesh, type GossipMesh } from '../../fixtures/mesh/gossip-mesh.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'

let mesh: GossipMesh | undefined
afterEach(async () => {
  await mesh?.[Symbol.asyncDispose]()
  mesh = undefined
})

/** Publishes at several nodes and depths at once, and holds what each reached against the graph. */
async function reachesExactly(edges: readonly Edge[], from: readonly number[], depths: readonly number[]) {
  const made = mesh as GossipMesh
  const services = from.flatMap((node) => depths.map((depth) => ({ node, depth, service: makeService({ depth }) })))
  const expected = services.map(({ node, depth, service }) => ({
    node,
    depth,
    id: idOf(service),
    reached: within(edges, node, depth + 1),
  }))
  for (const { node, service } of services) expect((await made.publish(node, service)).mesh).toBe('published')
  await made
    .until(() => expected.every(({ id, reached }) => made.reached(id).length >= reached.length), 'all that must hear')
    .catch(() => {})
  await made.quiet()
  const found = expected.map(({ node, depth, id }) => ({ node, depth, id, reached: made.reached(id) }))
  expect(found, `seed "${made.seed}"`).toEqual(expected)
  for (const { id, reached } of expected) expect(made.decided(id)).toEqual(reached)
}

/*
 * Why every neighbour hears of an emission, though gossipsub sends to a part of the connections only:
 * - a node with fewer than D_lo = 4 neighbours in its gossipsub mesh grafts every one that subscribes, at once, and
 *   `publish` fills up to D = 6: where degrees are 2 and 3, every connection carries every emission;
 * - beyond that, the neighbours outside the gossipsub mesh are told of each emission by IHAVE within a heartbeat, all
 *   of them and not only a quarter (gossipFactor 1), because nobody else may ever pass it on to them.
 * And why nobody else hears: what is forwarded or published is the one emission of a node, a depth lower each hop.
 */
test('depth 0 to 3 reach exactly the nodes within depth + 1 hops, in a sparse mesh of 30', async () => {
  const seed = 'sparse'
  const edges = sparseGraph(30, seed)
  mesh = await createGossipMesh({ nodes: 30, edges, seed })
  await reachesExactly(edges, [0, 11, 23], [0, 1, 2, 3])
})

test('a node with more neighbours than its gossipsub mesh holds passes on to all of them', async () => {
  const edges: Edge[] = [...star(30), [1, 31], [30, 32]]
  mesh = await createGossipMesh({ nodes: 33, edges, seed: 'star' })
  // a heartbeat: gossipsub cuts its mesh down to what it holds
  await mesh.quiet()
  await reachesExactly(edges, [0, 1, 31], [0, 1, 2, 3])
})

test('only those that redirect carry a service further', async () => {
  const seed = 'gated'
  const edges = sparseGraph(20, seed)
  const refuses = (node: number) => node % 3 === 1
  mesh = await createGossipMesh({ nodes: 20, edges, seed, decide: async (node) => ({ redirect: !refuses(node) }) })
  const service = makeService({ depth: 8 })
  await mesh.publish(0, service)
  const expected = within(edges, 0, 9, (node) => !refuses(node))
  expect(expected.length).toBeLessThan(19)
  await mesh.until(() => (mesh as GossipMesh).reached(idOf(service)).length >= expected.length, 'all that must hear')
  await mesh.quiet()
  expect(sorted(mesh.reached(idOf(service)))).toEqual(expected)
})
