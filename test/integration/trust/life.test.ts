import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createLightPeer, type ThundercloudNode } from '../../../src/node/index.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'
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
import { newHub, vouch } from '../../fixtures/trust/hubs.ts'
import { needs } from '../../require.ts'

const PATIENCE = 45_000
const onHost = { PREFER_TOOLCHAIN: { host: ['node.js'] } }

async function publish(node: ThundercloudNode, author = newSigner(), name = 'hello-web'): Promise<string> {
  const code = await addFolder(node, HELLO_WEB)
  const announcement = announce(author, { code, name, replyTo: node.multiaddrs() })
  await node.receive(bytesOf(announcement), { asPublisher: true })
  return announcement.signed.id.toString()
}

const parked = (node: ThundercloudNode, id: string) =>
  vi.waitFor(() => expect(node.service(id).state).toBe('parked'), { timeout: PATIENCE })

describe.skipIf(!needs('bubblewrap'))('a tree of trust over three nodes', () => {
  const [root, middle, author] = [newSigner(), newSigner(), newSigner()]
  const rooted = { ...onHost, TRUST_TREE: { ROOTS: { [formatAddress(root.address)]: { DEPTH: 2 } } } }
  const depth = { depth: 1, seq: 1 }
  let world: NodeWorld
  let first: ThundercloudNode
  let last: ThundercloudNode
  let id: string
  const tell = (statement: Uint8Array) => first.submitStatement(statement, { asPublisher: true })

  beforeAll(async () => {
    world = await createWorld()
    first = await world.start('first', { runner: { ...rooted, KEYWORDS: ['nothing'] } })
    const second = await world.start('second', {
      runner: { ...rooted, KEYWORDS: ['nothing'], STATIC_NODES: first.multiaddrs() },
    })
    last = await world.start('last', { runner: { ...rooted, STATIC_NODES: second.multiaddrs() } })
    await vi.waitFor(() => expect(second.peers()).toHaveLength(2), { timeout: PATIENCE })
    id = await publish(first, author)
  }, 60_000)
  afterAll(() => world[Symbol.asyncDispose]())

  it('waits for somebody who vouches for the author', async () => {
    await parked(last, id)
    expect(last.trustTree(formatAddress(author.address)).asked?.in).toBe(false)
    // the lower link is of no use before the upper one is known
    await tell(vouch(root, middle.address, depth))
    await tell(vouch(middle, author.address, { seq: 1 }))
    await stateOf(last, id, 'running', PATIENCE)
    const { asked } = last.trustTree(formatAddress(author.address))
    expect(asked).toMatchObject({ in: true })
    expect(asked?.path).toEqual([root, middle, author].map(({ address }) => formatAddress(address)))
  })

  it('stops when a link in the middle is revoked, and waits again', async () => {
    await tell(vouch(root, middle.address, { ...depth, seq: 2, revoked: true }))
    await parked(last, id)
    const { asked, roots } = last.trustTree(formatAddress(author.address))
    expect(asked?.in).toBe(false)
    expect(JSON.stringify(roots)).toMatch(/revoked/)
  })

  it('is not deceived by the older link, told again', async () => {
    const old = vouch(root, middle.address, depth)
    expect((await last.submitStatement(old)).outcome).toBe('older')
    await expect(tell(old)).rejects.toThrow(/a later statement/)
    expect(last.service(id).state).toBe('parked')
    await tell(vouch(root, middle.address, { ...depth, seq: 3 }))
    await stateOf(last, id, 'running', PATIENCE)
  })
})

describe.skipIf(!needs('bubblewrap'))('a node that was away', () => {
  const hub = newHub()
  const trusting = { ...onHost, TRUSTED_HUBS: { [hub.text]: {} } }
  let world: NodeWorld
  let first: ThundercloudNode
  const away = (name: string) =>
    world.start(name, { runner: { ...trusting, STATIC_NODES: first.multiaddrs() }, stopRunsOnClose: false })

  /** It runs a service, goes, the hub speaks, and it comes back. */
  async function comeBack(
    name: string,
    tell: (statement: Uint8Array) => Promise<unknown>,
  ): Promise<{ node: ThundercloudNode; id: string }> {
    const node = await away(name)
    await vi.waitFor(() => expect(node.peers().length).toBeGreaterThan(0), { timeout: PATIENCE })
    const id = await publish(first, newSigner(), name)
    const { code } = first.service(id)
    await tell(hub.says('safe', code))
    await stateOf(node, id, 'running', PATIENCE)
    await world.stop(name)
    await tell(hub.says('unsafe', code))
    const again = await away(name)
    expect(again.services().find((service) => service.id === id)?.run).toBeDefined()
    return { node: again, id }
  }

  beforeAll(async () => {
    world = await createWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('learns it from a neighbour that trusts the hub too', async () => {
    first = await world.start('neighbour', { runner: { ...trusting, KEYWORDS: ['nothing'] } })
    const { node, id } = await comeBack('one', (statement) => first.submitStatement(statement, { asPublisher: true }))
    await stateOf(node, id, 'stopped', PATIENCE)
    expect(node.statements({ signer: hub.text })).toMatchObject([{ verdict: 'unsafe' }])
  })

  it('learns it from the records of peers to whom the hub is nobody', async () => {
    const strangers: ThundercloudNode[] = []
    for (const name of ['stranger-one', 'stranger-two', 'stranger-three']) {
      const STATIC_NODES = strangers.flatMap((node) => node.multiaddrs())
      strangers.push(await world.start(name, { runner: { KEYWORDS: ['nothing'], STATIC_NODES } }))
    }
    first = strangers[0] as ThundercloudNode
    await using laptop = await createLightPeer(
      { clock: systemClock(), rng: systemRng(), log: silentLog() },
      { network: 'test', join: first.multiaddrs() },
    )
    const tell = async (statement: Uint8Array) => {
      expect((await laptop.submitStatement(statement)).records).toBeGreaterThan(0)
    }
    const { node, id } = await comeBack('two', tell)
    await stateOf(node, id, 'stopped', PATIENCE)
    expect(node.statements({ signer: hub.text })).toMatchObject([{ verdict: 'unsafe', via: 'record' }])
    for (const stranger of strangers) expect(stranger.statements()).toEqual([])
  })
})

describe.skipIf(!needs('bubblewrap'))('a word that is stapled to a service', () => {
  const hub = newHub()
  const trusting = { ...onHost, TRUSTED_HUBS: { [hub.text]: {} } }
  const run = { command: ['node', 'server.js'], kind: 'service' as const }
  let world: NodeWorld
  let first: ThundercloudNode
  let code: string

  beforeAll(async () => {
    world = await createWorld()
    first = await world.start('first', { runner: { KEYWORDS: ['nothing'] } })
    code = await addFolder(first, HELLO_WEB)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** Published by somebody with the hub's word on it. */
  async function publishWith(node: ThundercloudNode, name: string, staple: Uint8Array): Promise<string> {
    const change = { name, code: parseCid(code), statements: [staple], run, replyTo: first.multiaddrs() }
    const service = makeService({ depth: 2, change })
    await node.receive(bytesOf(service), { asPublisher: true })
    return idOf(service)
  }

  it('is enough where nobody knows more, and a mesh that cannot be asked stops nothing', {
    timeout: 60_000,
  }, async () => {
    // without a DHT every lookup fails
    const node = await world.start('alone', { runner: { ...trusting, STATIC_NODES: first.multiaddrs() }, dht: false })
    await vi.waitFor(() => expect(node.peers().length).toBeGreaterThan(0), { timeout: PATIENCE })
    const id = await publishWith(first, 'alone', hub.says('safe', code))
    await stateOf(node, id, 'running', PATIENCE)
    expect(await node.lookUpStatements({ code })).toMatchObject([{ verdict: 'safe', via: 'staple' }])
    const { statements } = await node.health()
    expect(statements.failedLookups).toBeGreaterThan(0)
    expect(node.service(id).state).toBe('running')
    await world.stop('alone')
  })

  it('does not hide the newer one in the records of strangers: it is not begun', async () => {
    // other files are other code: what was learnt of the one says nothing of the other
    const folder = join(world.root, 'other')
    await cp(HELLO_WEB, folder, { recursive: true })
    await writeFile(join(folder, 'other.txt'), 'other')
    code = await addFolder(first, folder)
    const safe = hub.says('safe', code)
    await using laptop = await createLightPeer(
      { clock: systemClock(), rng: systemRng(), log: silentLog() },
      { network: 'test', join: first.multiaddrs() },
    )
    expect((await laptop.submitStatement(hub.says('unsafe', code))).records).toBeGreaterThan(0)
    const node = await world.start('careful', { runner: { ...trusting, STATIC_NODES: first.multiaddrs() } })
    await vi.waitFor(() => expect(node.peers().length).toBeGreaterThan(0), { timeout: PATIENCE })
    // the code is here already: nothing but the lookup keeps it from being started
    await addFolder(node, folder)
    const happened: { service: string; state: string }[] = []
    using _listening = node.events.on('execution:state', (detail) => void happened.push(detail))
    const id = await publishWith(first, 'careful', safe)
    await vi.waitFor(async () => expect((await node.explain(id)).verdict.reasons).toContainEqual(unsafeReason), {
      timeout: PATIENCE,
    })
    const states = () => happened.flatMap(({ service, state }) => (service === id ? [state] : []))
    await vi.waitFor(() => expect(states().at(-1)).toBe('stopped'), { timeout: PATIENCE })
    expect(states()).not.toContain('starting')
    const history = (await node.explain(id, { history: true })).history ?? []
    expect(history.map(({ verdict }) => verdict?.run !== false)).toEqual([false, true])
  })
})

const unsafeReason = expect.objectContaining({ rule: 'veto', outcome: 'fail' })
