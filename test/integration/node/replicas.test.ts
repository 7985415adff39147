import { describe, expect, onTestFinished } from 'vitest'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { openRelay } from '../../fixtures/net.ts'
import { eventually, type Mesh, ON_HOST, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, announce, bytesOf, HELLO_WEB, type MemberOptions, newSigner } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const runner = { ...ON_HOST, ...trustPolicyFor(author) }

/** Nodes of which each is connected to each; `starts`: the runs that began. */
async function join(mesh: Mesh, count: number, name = 'node', options: MemberOptions = {}) {
  const nodes: ThundercloudNode[] = [await mesh.start(`${name} 0`, { ...options, runner })]
  while (nodes.length < count) nodes.push(await mesh.join(`${name} ${nodes.length}`, nodes, { ...options, runner }))
  const starts = new Set<string>()
  for (const node of nodes) node.events.on('execution:state', ({ runId }) => void starts.add(runId))
  return { nodes, starts }
}

const stateOf = (node: ThundercloudNode, id: string) => node.services().find((service) => service.id === id)?.state
const running = (nodes: readonly ThundercloudNode[], id: string) =>
  nodes.filter((node) => stateOf(node, id) === 'running')

/** So many run it, and all others of them stand by. */
async function expectRuns(nodes: readonly ThundercloudNode[], id: string, count: number): Promise<void> {
  const wanted = [...Array(nodes.length - count).fill('parked'), ...Array(count).fill('running')]
  await eventually(() => expect(nodes.map((node) => stateOf(node, id)).toSorted()).toEqual(wanted))
}

describe.skipIf(!needs('bubblewrap'))('a service that wants three replicas, on seven nodes', () => {
  test('is run by three, which others take over for when they are gone', async ({ mesh }) => {
    const { nodes, starts } = await join(mesh, 7)
    const id = await mesh.publish(await mesh.join('publisher', nodes), { author, replicas: 3 })
    await expectRuns(nodes, id, 3)
    expect(starts.size).toBe(3)
    const [first, second] = running(nodes, id) as [ThundercloudNode, ThundercloudNode]
    const standBy = nodes.find((node) => stateOf(node, id) === 'parked') as ThundercloudNode
    expect((await standBy.explain(id)).verdict.reasons[0]).toMatchObject({
      rule: 'replicas',
      message: expect.stringMatching(/^3 of 3 replicas are claimed by/),
    })
    await eventually(() => expect(standBy.service(id).placement).toMatch(/^3 of 3 replicas/))
    await eventually(() => expect(first.service(id).placement).toMatch(/^2 of 3 replicas are claimed by/))

    await first.stop(id)
    const others = nodes.filter((node) => node !== first)
    await expectRuns(others, id, 3)
    expect(starts.size).toBe(4)

    await second[Symbol.asyncDispose]()
    await expectRuns(
      others.filter((node) => node !== second),
      id,
      3,
    )
    expect(starts.size).toBe(5)
  })
})

describe.skipIf(!needs('bubblewrap'))('a mesh that was in two parts', () => {
  test('keeps as many runs as are wanted, and begins none of them again', async ({ mesh }) => {
    const [left, right] = [await join(mesh, 3, 'left'), await join(mesh, 3, 'right')]
    const code = await addFolder(left.nodes[0] as ThundercloudNode, HELLO_WEB)
    await addFolder(right.nodes[0] as ThundercloudNode, HELLO_WEB)
    const bytes = bytesOf(announce(author, { code, replicas: 2 }))
    const ids = await Promise.all([left, right].map(({ nodes }) => nodes[0]?.receive(bytes)))
    const id = ids[0]?.outcome === 'new' ? ids[0].id : ''
    for (const { nodes } of [left, right]) await expectRuns(nodes, id, 2)

    const nodes = [...left.nodes, ...right.nodes]
    const before = nodes.map((node) => stateOf(node, id) === 'running' && node.service(id).run?.runId)
    const STATIC_NODES = left.nodes.flatMap((node) => node.multiaddrs())
    const heal = async (node: ThundercloudNode, index: number) =>
      await node.applyPolicy(await mesh.policyWith(`right ${index}`, { STATIC_NODES }))
    await Promise.all(right.nodes.map(heal))
    await expectRuns(nodes, id, 2)
    for (const node of running(nodes, id)) expect(before).toContain(node.service(id).run?.runId)
  })
})

describe.skipIf(!needs('bubblewrap'))('a neighbour that falls silent, and closes nothing', () => {
  test('is taken over for; when it answers again one run stays, and none was begun again', async ({ mesh }) => {
    const first = await mesh.start('first', { runner })
    const [address = ''] = first.multiaddrs()
    const { port = '' } = /\/tcp\/(?<port>\d+)\//.exec(address)?.groups ?? {}
    const relay = await openRelay({ host: '127.0.0.1', port: Number(port) })
    onTestFinished(relay.cut)
    const STATIC_NODES = [address.replace(`/tcp/${port}/`, `/tcp/${relay.port}/`)]
    const second = await mesh.join('second', first, { runner: { ...runner, STATIC_NODES } })
    const nodes = [first, second]
    const id = await mesh.publish(await mesh.join('publisher', nodes), { author })
    await expectRuns(nodes, id, 1)
    relay.silence()
    await eventually(() => expect(running(nodes, id)).toHaveLength(2))
    const runIds = nodes.map((node) => node.service(id).run?.runId)
    relay.resume()
    await expectRuns(nodes, id, 1)
    const [left] = running(nodes, id)
    expect(runIds).toContain(left?.service(id).run?.runId)
    expect(left?.service(id).run?.restarts).toBe(0)
  })
})

describe.skipIf(!needs('bubblewrap'))('a node that is gone while its run lives on', () => {
  test('adopts it when it is back, and what is one too many by then ends', async ({ mesh }) => {
    const { nodes } = await join(mesh, 4, 'node', { stopRunsOnClose: false })
    const id = await mesh.publish(await mesh.join('publisher', nodes), { author, replicas: 2 })
    await expectRuns(nodes, id, 2)
    const gone = nodes.findLastIndex((node) => stateOf(node, id) === 'running')
    const { runId } = nodes[gone]?.service(id).run ?? {}
    await mesh.stop(`node ${gone}`)
    const others = nodes.toSpliced(gone, 1)
    await expectRuns(others, id, 2)
    const back = await mesh.start(`node ${gone}`, { stopRunsOnClose: false })
    const all = [...others, back]
    await expectRuns(all, id, 2)
    expect(back.service(id).run?.runId).toBe(runId)
    expect(back.service(id).run?.restarts).toBe(0)
    for (const node of all) await node.stop(id)
  })
})
