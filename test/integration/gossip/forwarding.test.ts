import { expect } from 'vitest'
import type { SignedService } from '../../../src/intake/index.ts'
import { line } from '../../fixtures/mesh/gossip-graph.ts'
import type { GossipMesh, GossipMeshInit } from '../../fixtures/mesh/gossip-mesh.ts'
import { copyAt, idOf, makeService, NETWORK } from '../../fixtures/mesh/gossip-services.ts'
import { test } from '../../fixtures/mesh/gossip-test.ts'

const seed = 'gate'
type Start = { start(init: GossipMeshInit): Promise<GossipMesh> }

const peerOf = (mesh: GossipMesh, node: number) => mesh.member(node).network.peerId

/** How a node sent what it emitted, in order. */
function emissionsOf(mesh: GossipMesh, node: number): string[] {
  const emissions: string[] = []
  mesh.member(node).events.on('intake:emitted', ({ how, depth }) => emissions.push(`${how} at ${depth}`))
  return emissions
}

/** 0 publishes to 1 and 2; 1 redirects it to 2 at once; only 2 knows 3, and its verdict comes when the test says so. */
async function slowNode(gossip: Start, init: Partial<GossipMeshInit> = {}) {
  const verdict = Promise.withResolvers<{ redirect: boolean }>()
  const decide = async (node: number) => (node === 2 ? verdict.promise : { redirect: true })
  const edges = [...line(4), [0, 2] as const]
  const mesh = await gossip.start({ seed, nodes: 4, edges, decide, ...init })
  const service = makeService({ depth: 3 })
  const emissions = emissionsOf(mesh, 2)
  await mesh.publish(0, service)
  const waits = () => mesh.until(() => mesh.member(2).intake.stats().copiesWaiting === 1, "1's copy waits at 2")
  return { mesh, id: idOf(service), emissions, verdict, waits }
}

test('a verdict later than a neighbour: the copy that waited for it is forwarded', async ({ gossip }) => {
  const { mesh, id, emissions, verdict, waits } = await slowNode(gossip)
  await waits()
  verdict.resolve({ redirect: true })
  await mesh.until(() => mesh.reached(id).length === 3, 'all receive it')
  expect(emissions).toEqual(['forwarded at 2'])
})

test('a verdict later than a neighbour that says no: the copy that waited for it goes no further', async ({
  gossip,
}) => {
  const { mesh, id, emissions, verdict, waits } = await slowNode(gossip)
  await waits()
  verdict.resolve({ redirect: false })
  await mesh.quiet()
  expect(mesh.reached(id)).toEqual([1, 2])
  expect(mesh.arrivals(3)).toEqual([])
  expect(emissions).toEqual([])
})

test('a verdict later than a copy may wait: the neighbours pull what gossip will not carry any more', async ({
  gossip,
}) => {
  const { mesh, id, emissions, verdict } = await slowNode(gossip, { verdictTimeoutMs: 200 })
  const ignored = () => mesh.arrivals(2).filter(({ answer }) => answer === 'ignore').length
  await mesh.until(() => ignored() === 2, "1's copy is ignored at 2")
  verdict.resolve({ redirect: true })
  await mesh.until(() => mesh.reached(id).length === 3, 'all receive it')
  expect(emissions).toEqual(['offered at 2'])
  expect(mesh.member(3).journal.announcements.get(id)).toMatchObject({ depth: 2, via: 'sync' })
})

test.for([
  { when: 'at once', how: 'forwarded' },
  { when: 'when nothing waits for it any more', how: 'offered' },
])(
  'a lower depth first, and $when the true one: it travels as far as its author wanted',
  async ({ how }, { gossip }) => {
    const mesh = await gossip.start({ seed, nodes: 6, edges: line(6), holdMs: how === 'forwarded' ? 10_000 : 100 })
    const relay = await gossip.attackOn(mesh, 1)
    const service = makeService({ depth: 3 })
    const id = idOf(service)
    // a relay that lowered it: 1 redirects depth 1 to 0 and 2, and 3 is the last to receive
    relay.send(peerOf(mesh, 1), { data: copyAt(service, 2) })
    await mesh.until(() => mesh.reached(id).includes(3), 'the lowered copy travels')
    await mesh.quiet()
    expect(mesh.reached(id)).toEqual([0, 1, 2, 3])
    // now 1 must emit depth 2: the very bytes that it has seen, and ignored, as its first copy
    const emissions = emissionsOf(mesh, 1)
    await mesh.publish(0, service)
    await mesh.until(() => mesh.reached(id).includes(4), 'the true depth arrives')
    await mesh.quiet()
    expect(emissions).toEqual([`${how} at 2`])
    expect(mesh.reached(id)).toEqual([1, 2, 3, 4])
    const depths = [1, 2, 3, 4].map((node) => mesh.member(node).journal.announcements.get(id)?.depth)
    expect(depths).toEqual([3, 2, 1, 0])
    expect(mesh.decided(id)).toEqual([0, 1, 2, 3, 4])
  },
)

test('the same bytes first on the other topic hide nothing: no node reads it, and a message id covers its topic', async ({
  gossip,
}) => {
  const mesh = await gossip.start({ seed, nodes: 4, edges: line(4) })
  const attacker = await gossip.attackOn(mesh, 1, 2)
  const service = makeService({ depth: 3 })
  const topic = `/thundercloud/${NETWORK}/statements/1`
  for (const node of [1, 2]) {
    for (const depth of [3, 2, 1]) attacker.send(peerOf(mesh, node), { data: copyAt(service, depth), topic })
  }
  await mesh.quiet(300)
  expect([1, 2, 3].flatMap((node) => mesh.arrivals(node))).toEqual([])
  await mesh.publish(0, service)
  await mesh.until(() => mesh.reached(idOf(service)).length === 3, 'all receive it')
  expect(mesh.scoreOf(1, attacker.peerId)).toBeGreaterThanOrEqual(0)
})

test('a replay that gossipsub has forgotten is asked about again, and ignored', async ({ gossip }) => {
  const mesh = await gossip.start({ seed, nodes: 3, edges: line(3), network: { seenTtlMs: 500 } })
  const attacker = await gossip.attackOn(mesh, 1)
  const [old, fresh] = [makeService({ depth: 3 }), makeService({ depth: 3 })]
  await mesh.publish(0, old)
  await mesh.until(() => mesh.reached(idOf(old)).length === 2, 'all receive it')
  await mesh.quiet(2500)
  const received = mesh.arrivals(2).length
  for (const depth of [3, 2, 1, 0]) attacker.send(peerOf(mesh, 1), { data: copyAt(old, depth) })
  const asked = () => mesh.arrivals(1).filter(({ from }) => from === attacker.peerId)
  await mesh.until(() => asked().length === 4, 'the gate is asked again')
  await mesh.quiet()
  expect(asked().map(({ answer }) => answer)).toEqual(['ignore', 'ignore', 'ignore', 'ignore'])
  expect(mesh.arrivals(2).length).toBe(received)
  expect(mesh.decided(idOf(old))).toEqual([1, 2])
  await mesh.publish(0, fresh)
  await mesh.until(() => mesh.reached(idOf(fresh)).length === 2, 'what is new arrives everywhere')
})

test('a full queue: what is ignored because of it is pulled from a neighbour when there is space', async ({
  gossip,
}) => {
  const flood = Array.from({ length: 70 }, () => makeService({ depth: 3 }))
  const flooding = new Set(flood.map(idOf))
  const verdict = Promise.withResolvers<{ redirect: boolean }>()
  const decide = async (_node: number, service: SignedService) =>
    flooding.has(service.id.toString()) ? verdict.promise : { redirect: true }
  const mesh = await gossip.start({ seed, nodes: 3, edges: line(3), decide, quotas: { queueMax: 1 } })
  const attacker = await gossip.attackOn(mesh, 1)
  attacker.send(peerOf(mesh, 1), ...flood.map((service) => ({ data: copyAt(service) })))
  await mesh.until(() => mesh.member(1).intake.stats().dropped['queue-full'] === 5, 'the queue is full')
  const honest = makeService({ depth: 3 })
  await mesh.publish(0, honest)
  await mesh.until(() => mesh.member(1).intake.stats().dropped['queue-full'] === 6, 'no space for the honest one')
  expect(mesh.reached(idOf(honest))).toEqual([])
  verdict.resolve({ redirect: false })
  await mesh.until(() => mesh.reached(idOf(honest)).length === 2, 'the honest one arrives everywhere')
  expect(mesh.member(1).journal.announcements.get(idOf(honest))).toMatchObject({ via: 'sync', depth: 3 })
  expect(mesh.scoreOf(1, peerOf(mesh, 0))).toBeGreaterThanOrEqual(0)
})
