import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import {
  addFolder,
  announce,
  bytesOf,
  createWorld,
  HELLO_WEB,
  type NodeWorld,
  newSigner,
  stateOf,
} from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const trusting = { TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } } }
const onHost = { PREFER_TOOLCHAIN: { host: ['node.js'] } }
const hello = { 'hello-web': { DIR: HELLO_WEB } }

let world: NodeWorld
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

async function pair(runner: Readonly<Record<string, unknown>>): Promise<[ThundercloudNode, ThundercloudNode]> {
  const first = await world.start('first')
  const second = await world.start('second', { runner: { ...runner, STATIC_NODES: first.multiaddrs() } })
  await vi.waitFor(() => expect(first.peers()).toHaveLength(1), { timeout: 45_000 })
  return [first, second]
}

describe('one data folder', () => {
  it('has one process: the second is refused and told the pid', async () => {
    await world.start('only')
    await expect(world.start('only')).rejects.toThrow(`belongs to a running node (pid ${process.pid})`)
  })
})

describe('an author outside the tree, with no hubs configured', () => {
  it('is not run, is redirected, and is not parked', async () => {
    const [first, second] = await pair(onHost)
    const code = await addFolder(first, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: first.multiaddrs() })
    const id = announcement.signed.id.toString()
    await first.receive(bytesOf(announcement), { asPublisher: true })
    await vi.waitFor(() => expect(second.service(id).state).toBe('redirected'), { timeout: 45_000 })
    const { verdict } = await second.explain(id)
    expect(verdict.run).toBe(false)
    expect(verdict.park ?? []).toEqual([])
    expect(verdict.reasons.find(({ rule }) => rule === 'trust')).toMatchObject({ outcome: 'fail' })
  })
})

describe.skipIf(!needs('bubblewrap'))('a running service', () => {
  it('goes on over a restart of its node, once, and is not taken in again', async () => {
    const [first] = await pair({ ...onHost, ...trusting })
    await world.stop('second')
    let second = await world.start('second', { stopRunsOnClose: false })
    const code = await addFolder(first, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: first.multiaddrs() })
    const id = announcement.signed.id.toString()
    await first.receive(bytesOf(announcement), { asPublisher: true })
    await stateOf(second, id, 'running')
    const before = second.service(id).run
    await world.stop('second')
    second = await world.start('second')
    await stateOf(second, id, 'running')
    expect(second.service(id).run).toMatchObject({ runId: before?.runId, restarts: 0, since: before?.since })
    expect((await second.health()).running).toBe(1)
    expect(await second.receive(bytesOf(announcement))).toMatchObject({ outcome: 'known' })
  })

  it('makes room for its update when the new one is healthy', async () => {
    const [first, second] = await pair({ ...onHost, ...trusting })
    const code = await addFolder(first, HELLO_WEB)
    const one = announce(author, { code, replyTo: first.multiaddrs(), seq: 1 })
    await first.receive(bytesOf(one), { asPublisher: true })
    await stateOf(second, one.signed.id.toString(), 'running')
    const env = { SERVICE: 'second-edition', PORT: '8080' }
    const run = { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind: 'service', env }
    const two = announce(author, { code, replyTo: first.multiaddrs(), seq: 2, run })
    await first.receive(bytesOf(two), { asPublisher: true })
    await stateOf(second, two.signed.id.toString(), 'running')
    await stateOf(second, one.signed.id.toString(), 'stopped')
    expect(second.service(one.signed.id.toString()).supersededBy).toBe(two.signed.id.toString())
    expect(await second.receive(bytesOf(one))).not.toMatchObject({ outcome: 'new' })
  })

  it('stays stopped when its operator stopped it, also after a restart', async () => {
    const [first, second] = await pair({ ...onHost, ...trusting })
    const code = await addFolder(first, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: first.multiaddrs() })
    const id = announcement.signed.id.toString()
    await first.receive(bytesOf(announcement), { asPublisher: true })
    await stateOf(second, id, 'running')
    expect(await second.stop(id)).toEqual({ scope: 'local' })
    expect(second.service(id).state).toBe('stopped')
    await world.stop('second')
    const again = await world.start('second')
    expect(again.service(id).state).toBe('stopped')
    expect((await again.health()).running).toBe(0)
  })
})

describe.skipIf(!needs('bubblewrap'))('SERVICES', () => {
  it('are signed by the node, run at boot, and keep their id while they do not change', async () => {
    let node = await world.start('owner', { runner: onHost, services: { SERVICES: hello } })
    await vi.waitFor(() => expect(node.services()).toHaveLength(1), { timeout: 45_000 })
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    expect(node.service(id).author).toBe(node.address)
    await world.stop('owner')
    node = await world.start('owner')
    await stateOf(node, id, 'running')
    expect(node.services()).toHaveLength(1)
  })

  it('get a new version when their folder changes', async () => {
    const folder = join(world.root, 'mine')
    await cp(HELLO_WEB, folder, { recursive: true })
    let node = await world.start('owner', { runner: onHost, services: { SERVICES: { 'hello-web': { DIR: folder } } } })
    await vi.waitFor(() => expect(node.services()).toHaveLength(1), { timeout: 45_000 })
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    await world.stop('owner')
    await writeFile(join(folder, 'server.js'), `${await readFile(join(folder, 'server.js'), 'utf8')}\n// changed\n`)
    node = await world.start('owner')
    await vi.waitFor(() => expect(node.services()).toHaveLength(2), { timeout: 45_000 })
    const next = node.service('hello-web')
    expect(next.seq).toBe(2)
    await stateOf(node, next.id, 'running')
    await stateOf(node, id, 'stopped')
  })

  it('are stopped in the whole mesh by their own node', async () => {
    const node = await world.start('owner', {
      runner: onHost,
      services: { SERVICES: { 'hello-web': { DIR: HELLO_WEB, PUBLISH: true } } },
    })
    const neighbour = await world.start('neighbour', { runner: { STATIC_NODES: node.multiaddrs() } })
    await vi.waitFor(() => expect(neighbour.services()).toHaveLength(1), { timeout: 45_000 })
    const { id } = node.service('hello-web')
    await stateOf(node, id, 'running')
    expect(await node.stop(id)).toEqual({ scope: 'mesh' })
    await stateOf(node, id, 'stopped')
    await vi.waitFor(() => expect(neighbour.service(id).state).toBe('stopped'), { timeout: 45_000 })
  })
})

describe('EXTERNAL_SERVICES', () => {
  it('are fetched from the node that FROM names, and decided like any announcement', async () => {
    const first = await world.start('first')
    const code = await addFolder(first, HELLO_WEB)
    const announcement = announce(author, { code })
    const id = announcement.signed.id.toString()
    await first.receive(bytesOf(announcement), { asPublisher: true })
    const [from = ''] = first.multiaddrs()
    const second = await world.start('second', { services: { EXTERNAL_SERVICES: { [id]: { FROM: from } } } })
    await vi.waitFor(() => expect(second.service(id).state).toBe('redirected'), { timeout: 45_000 })
  })
})
