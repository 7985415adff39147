import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { once } from '../../../src/base/events.ts'
import type { LightPeer, NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { makeStop } from '../../fixtures/mesh/gossip-services.ts'
import { eventually, httpGet, ON_HOST, test, trustPolicyFor, waitForState } from '../../fixtures/node/mesh.ts'
import { addFolder, announce, bytesOf, HELLO_WEB, newSigner, PATIENCE, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const hello = { 'hello-web': { DIR: HELLO_WEB } }

/** hello-web, with what was said of it. */
async function published(node: ThundercloudNode) {
  const code = await addFolder(node, HELLO_WEB)
  const announcement = announce(author, { code, replyTo: node.multiaddrs() })
  await node.receive(bytesOf(announcement), { asPublisher: true })
  return { announcement, code, id: announcement.signed.id.toString() }
}

describe('one data folder', () => {
  test('has one process: the second is refused and gets the pid', async ({ mesh }) => {
    await mesh.start('only')
    await expect(mesh.start('only')).rejects.toThrow(`belongs to a running node (pid ${process.pid})`)
  })
})

describe('an author outside the tree, with no hubs configured', () => {
  test('is not run, is redirected, and is not parked', async ({ mesh }) => {
    const first = await mesh.start('first')
    const second = await mesh.join('second', first, { runner: ON_HOST })
    const id = await mesh.publish(first, { author })
    await waitForState(second, id, 'redirected')
    const { verdict } = await second.explain(id)
    expect(verdict.run).toBe(false)
    expect(verdict.park ?? []).toEqual([])
    expect(verdict.reasons.find(({ rule }) => rule === 'trust')).toMatchObject({ outcome: 'fail' })
  })
})

describe.skipIf(!needs('bubblewrap'))('a running service', () => {
  const runner = { ...ON_HOST, ...trustPolicyFor(author) }

  test('goes on over a restart of its node, once, and is not taken in again', async ({ mesh }) => {
    const first = await mesh.start('first')
    let second = await mesh.join('second', first, { runner, stopRunsOnClose: false })
    const { announcement, id } = await published(first)
    await stateOf(second, id, 'running')
    const before = second.service(id).run
    await mesh.stop('second')
    second = await mesh.start('second')
    await stateOf(second, id, 'running')
    expect(second.service(id).run).toMatchObject({ runId: before?.runId, restarts: 0, since: before?.since })
    expect((await second.health()).running).toBe(1)
    expect(await second.receive(bytesOf(announcement))).toMatchObject({ outcome: 'known' })
  })

  test('frees capacity for its update when the new one is healthy', async ({ mesh }) => {
    const first = await mesh.start('first')
    const second = await mesh.join('second', first, { runner })
    const { announcement, id: one, code } = await published(first)
    await stateOf(second, one, 'running')
    const env = { SERVICE: 'second-edition', PORT: '8080' }
    const run = { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind: 'service', env }
    const two = await mesh.publish(first, { author, code, seq: 2, run })
    await stateOf(second, two, 'running')
    await stateOf(second, one, 'stopped')
    expect(second.service(one).supersededBy).toBe(two)
    expect(await second.receive(bytesOf(announcement))).not.toMatchObject({ outcome: 'new' })
  })

  test('stays stopped when its operator stopped it, also after a restart', async ({ mesh }) => {
    const first = await mesh.start('first')
    const second = await mesh.join('second', first, { runner })
    const id = await mesh.publish(first, { author })
    await stateOf(second, id, 'running')
    expect(await second.stop(id)).toEqual({ scope: 'local' })
    expect(second.service(id).state).toBe('stopped')
    await mesh.stop('second')
    const again = await mesh.start('second')
    expect(again.service(id).state).toBe('stopped')
    expect((await again.health()).running).toBe(0)
  })
})

describe.skipIf(!needs('bubblewrap'))('SERVICES', () => {
  test('are signed by the node, run at boot, and keep their id while they do not change', async ({ mesh }) => {
    let node = await mesh.start('owner', { runner: ON_HOST, services: { SERVICES: hello } })
    await eventually(() => expect(node.services()).toHaveLength(1))
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    expect(node.service(id).author).toBe(node.address)
    await mesh.stop('owner')
    node = await mesh.start('owner')
    await stateOf(node, id, 'running')
    expect(node.services()).toHaveLength(1)
  })

  test('get a new version when their folder changes', async ({ mesh }) => {
    const folder = join(mesh.root, 'mine')
    await cp(HELLO_WEB, folder, { recursive: true })
    let node = await mesh.start('owner', { runner: ON_HOST, services: { SERVICES: { 'hello-web': { DIR: folder } } } })
    await eventually(() => expect(node.services()).toHaveLength(1))
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    await mesh.stop('owner')
    await writeFile(join(folder, 'server.js'), `${await readFile(join(folder, 'server.js'), 'utf8')}\n// changed\n`)
    node = await mesh.start('owner')
    await eventually(() => expect(node.services()).toHaveLength(2))
    const next = node.service('hello-web')
    expect(next.seq).toBe(2)
    await stateOf(node, next.id, 'running')
    await stateOf(node, id, 'stopped')
  })

  test('are stopped in the whole mesh by their own node', async ({ mesh }) => {
    const services = { SERVICES: { 'hello-web': { DIR: HELLO_WEB, PUBLISH: true } } }
    const node = await mesh.start('owner', { runner: ON_HOST, services })
    const neighbour = await mesh.join('neighbour', node)
    await eventually(() => expect(neighbour.services()).toHaveLength(1))
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    expect(await node.stop(id)).toEqual({ scope: 'mesh' })
    await stateOf(node, id, 'stopped')
    await waitForState(neighbour, id, 'stopped')
  })
})

describe('EXTERNAL_SERVICES', () => {
  test('are fetched from the node that FROM names, and decided like any announcement', async ({ mesh }) => {
    const first = await mesh.start('first')
    const id = await mesh.publish(first, { author, replyTo: [] })
    const [from = ''] = first.multiaddrs()
    const second = await mesh.start('second', { services: { EXTERNAL_SERVICES: { [id]: { FROM: from } } } })
    await waitForState(second, id, 'redirected')
  })
})

const inTime = () => ({ signal: AbortSignal.timeout(PATIENCE) })

describe.skipIf(!needs('bubblewrap'))('a service in a row of three nodes', () => {
  let first: ThundercloudNode
  let second: ThundercloudNode
  let third: ThundercloudNode
  let id: string

  test.beforeAll(async ({ fileMesh: mesh }) => {
    first = await mesh.start('first')
    second = await mesh.join('second', first, { runner: { KEYWORDS: ['defi'] } })
    third = await mesh.join('third', second, { runner: { ...ON_HOST, ...trustPolicyFor(author) } })
    id = await mesh.publish(first, { author })
    await stateOf(third, id, 'running')
  })

  test('is refused and redirected by the second node, which says why', async () => {
    expect(second.service(id).state).toBe('redirected')
    const { verdict } = await second.explain(id)
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.reasons).toContainEqual(expect.objectContaining({ rule: 'keywords', outcome: 'fail' }))
  })

  test('reports to the publisher which nodes run it and which do not', async () => {
    const states = () => first.service(id).receipts.map(({ state }) => state)
    await expect.poll(() => states().sort()).toEqual(['redirected', 'running'])
    const answers = await first.ask(id, inTime())
    expect(answers.find(({ peerId }) => peerId === third.peerId)?.state).toBe('running')
  })

  test('answers its author through a tunnel, and nobody else', async ({ fileMesh: mesh }) => {
    await using friend = await mesh.visitor(first, author)
    const { body } = await httpGet(await friend.connect(parseCid(id), 'http', inTime()))
    expect(body).toContain('hello-web')
    await using stranger = await mesh.visitor(first, newSigner())
    await expect(stranger.connect(parseCid(id), 'http', inTime())).rejects.toThrow(/access signature/)
    await expect(friend.connect(parseCid(id), 'ssh', inTime())).rejects.toThrow(/no port "ssh"; it has http/)
  })

  test('shows its logs to its author, and to nobody else', async ({ fileMesh: mesh }) => {
    const read = async (peer: LightPeer) => {
      const logs = await Array.fromAsync(peer.logs(parseCid(id), { tail: 50, follow: false, ...inTime() }))
      return logs.map(({ line }) => line).join('\n')
    }
    await using friend = await mesh.visitor(first, author)
    expect(await read(friend)).toContain('hello-web listens')
    await using stranger = await mesh.visitor(first, newSigner())
    await expect(read(stranger)).rejects.toThrow(/access signature/)
  })

  test('is stopped by its author on every node, and does not come back', async ({ fileMesh: mesh }) => {
    const stopped = once<NodeEvents, 'intake:stopped'>(second.events, 'intake:stopped', inTime())
    const stop = makeStop({ author, change: { name: 'hello-web', seq: 1 } })
    await first.receive(bytesOf(stop), { asPublisher: true })
    await stateOf(third, id, 'stopped')
    expect((await stopped).ids).toEqual([id])
    await mesh.stop('third')
    third = await mesh.start('third')
    expect(third.service(id).state).toBe('stopped')
    expect((await third.health()).running).toBe(0)
  })
})
