import { afterEach, expect, test } from 'vitest'
import { addressOf, createGossipMesh, type GossipMesh } from '../../fixtures/mesh/gossip-mesh.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'

const NODES = 50
const ENTRIES = [0, 1, 2]

let mesh: GossipMesh | undefined
afterEach(() => mesh?.[Symbol.asyncDispose]())

test('50 nodes behind one address join by three static nodes, and one service reaches all', async () => {
  mesh = await createGossipMesh({
    nodes: NODES,
    seed: 'fifty',
    network: (node, { member }) => ({
      staticNodes: ENTRIES.filter((entry) => entry < node).map((entry) => addressOf(member(entry).network)),
    }),
  })
  const { member } = mesh
  const expected = (node: number) => (ENTRIES.includes(node) ? NODES - 1 : ENTRIES.length)
  const all = Array.from({ length: NODES }, (_, node) => node)
  await mesh.until(
    () => all.every((node) => member(node).network.gossip.listeners().length === expected(node)),
    'all are connected',
  )
  expect(
    new Set(
      member(0)
        .network.peers()
        .map(({ multiaddr }) => multiaddr.split('/')[2]),
    ),
  ).toEqual(new Set(['127.0.0.1']))
  // gossipsub scores its peers once a second: so many behind one address are no offence here
  await mesh.quiet()
  const lowest = Math.min(
    ...all.flatMap((node) =>
      member(node)
        .network.peers()
        .map(({ score }) => score),
    ),
  )
  expect(lowest).toBeGreaterThanOrEqual(0)

  const service = makeService({ depth: 8 })
  const from = NODES - 1
  await mesh.publish(from, service)
  const reached = () => (mesh as GossipMesh).reached(idOf(service))
  await mesh.until(() => reached().length === NODES - 1, 'all hear')
  expect(reached()).toEqual(all.filter((node) => node !== from))
}, 120_000)
