import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import type { BytePipe } from '../../../src/base/stream.ts'
import { loadManifest } from '../../../src/config/index.ts'
import { connectTunnel } from '../../../src/network/index.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { createClaimant } from '../../fixtures/mesh/claimant.ts'
import { eventually, httpGet, type Mesh, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const SIBLINGS = new URL('../../../configs/examples/siblings', import.meta.url).pathname
const author = newSigner()
const NETCAP = { MODE: 'allowlist', ALLOW: ['service:self'] }
type Page = { self: string; siblings: { peerId: string; says?: string; problem?: string }[] }

async function bodyOf(pipe: BytePipe): Promise<string> {
  pipe.on('error', () => {})
  const { body } = await httpGet(pipe)
  pipe.destroy()
  return body
}

async function pageOf(visitor: LightPeer, node: ThundercloudNode, id: string): Promise<Page> {
  return JSON.parse(await bodyOf(await visitor.connectAt(node.peerId, parseCid(id), 'web'))) as Page
}

async function publishAt(mesh: Mesh, nodes: readonly ThundercloudNode[], replicas: number) {
  const publisher = await mesh.join('publisher', nodes)
  const code = await addFolder(publisher, SIBLINGS)
  const { run, resources, network } = await loadManifest(join(SIBLINGS, 'service.json'))
  return await mesh.publish(publisher, { author, code, name: 'siblings', run, resources, network, replicas })
}

const EXECUTORS = [
  { executor: 'host', need: 'bubblewrap' },
  { executor: 'docker', need: 'engine' },
] as const

describe.each(EXECUTORS.filter(({ need }) => needs(need)))('service:self on $executor', ({ executor }) => {
  const runner = { PREFER_TOOLCHAIN: { [executor]: ['node.js'] }, ...trustPolicyFor(author), NETCAP }

  test('three runs find and reach each other, and nobody else reaches their port', async ({ mesh }) => {
    const nodes: ThundercloudNode[] = [await mesh.start('node 0', { runner })]
    while (nodes.length < 3) nodes.push(await mesh.join(`node ${nodes.length}`, nodes, { runner }))
    const id = await publishAt(mesh, nodes, 3)
    const visitor = await mesh.visitor(nodes[0] as ThundercloudNode)
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node).map(({ peerId }) => peerId)
      await eventually(async () => {
        const { self, siblings } = await pageOf(visitor, node, id)
        expect(self).toBe(node.peerId)
        const said = siblings.map(({ peerId, says }) => [peerId, says]).toSorted()
        expect(said).toEqual(others.map((peer) => [peer, `hello from ${peer}`]).toSorted())
      })
    }
    const [first, second] = nodes as [ThundercloudNode, ThundercloudNode]
    await expect(visitor.connectAt(first.peerId, parseCid(id), 'hello')).rejects.toThrow(
      /for nodes that run the service/,
    )
    await mesh.stop('node 2')
    await eventually(async () => {
      const { siblings } = await pageOf(visitor, first, id)
      expect(siblings.map(({ peerId }) => peerId)).toEqual([second.peerId])
    })
  })

  test('a peer that claims and runs nothing is listed and does not answer; one that claims nothing gets no tunnel', async ({
    mesh,
  }) => {
    const node = await mesh.start('node', { runner })
    const id = await publishAt(mesh, [node], 8)
    const visitor = await mesh.visitor(node)
    await eventually(async () => expect(await pageOf(visitor, node, id)).toEqual({ self: node.peerId, siblings: [] }))
    await using claimant = await createClaimant(mesh.network, node.multiaddrs())
    const { peerId, streams } = claimant
    await eventually(async () => {
      const { siblings } = await pageOf(visitor, node, id)
      expect(siblings).toEqual([{ peerId, problem: 'ECONNRESET' }])
    })
    const hello = { v: 1, service: parseCid(id), port: 'hello' } as const
    const tunnel = await connectTunnel(streams, node.peerId, hello)
    expect(await bodyOf(tunnel)).toContain(`hello from ${node.peerId}`)
    // one that floods has so many tunnels, and costs the others nothing
    const flood = await Promise.allSettled(Array.from({ length: 40 }, () => connectTunnel(streams, node.peerId, hello)))
    const opened = flood.flatMap((one) => (one.status === 'fulfilled' ? [one.value.on('error', () => {})] : []))
    expect(opened.length).toBeLessThanOrEqual(16)
    expect((await pageOf(visitor, node, id)).self).toBe(node.peerId)
    for (const one of opened) one.destroy()
    claimant.says = 'parked'
    await eventually(async () => {
      const { siblings } = await pageOf(visitor, node, id)
      expect(siblings).toEqual([])
      await expect(connectTunnel(streams, node.peerId, hello).then(bodyOf)).rejects.toThrow(/for nodes that run/)
    })
  })

  test('one of SERVICES, which nobody places, finds the others', async ({ mesh }) => {
    const services = { SERVICES: { siblings: { DIR: SIBLINGS, PUBLISH: true } } }
    const owner = await mesh.start('owner', { runner, services })
    const TRUST_TREE = { ROOTS: { [owner.address]: { DEPTH: 0 } } }
    const other = await mesh.join('other', owner, { runner: { ...runner, TRUST_TREE } })
    await eventually(() => expect(other.services()[0]?.run?.healthy).toBe(true))
    const { id } = other.service('siblings')
    const visitor = await mesh.visitor(owner)
    for (const [node, sibling] of [
      [owner, other],
      [other, owner],
    ] as const) {
      await eventually(async () => {
        const { siblings } = await pageOf(visitor, node, id)
        expect(siblings).toMatchObject([{ peerId: sibling.peerId, says: `hello from ${sibling.peerId}` }])
      })
    }
  })
})
