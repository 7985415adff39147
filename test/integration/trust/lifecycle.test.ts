import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { nowSeconds } from '../../../src/base/clock.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'
import { eventually, type Mesh, ON_HOST, RUNS_NOTHING, test, waitForState } from '../../fixtures/node/mesh.ts'
import { addFolder, bytesOf, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { system } from '../../fixtures/system.ts'
import { delegateTo, newHub } from '../../fixtures/trust/hubs.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('bubblewrap'))('a tree of trust over three nodes', () => {
  const [root, middle, author] = [newSigner(), newSigner(), newSigner()]
  const rooted = { ...ON_HOST, TRUST_TREE: { ROOTS: { [formatAddress(root.address)]: { DEPTH: 2 } } } }
  const depth = { depth: 1, seq: 1 }
  let first: ThundercloudNode
  let last: ThundercloudNode
  let id: string
  const tell = (statement: Uint8Array) => first.submitStatement(statement, { asPublisher: true })

  test.beforeAll(async ({ fileMesh: mesh }) => {
    first = await mesh.start('first', { runner: { ...rooted, ...RUNS_NOTHING } })
    const second = await mesh.join('second', first, { runner: { ...rooted, ...RUNS_NOTHING } })
    last = await mesh.join('last', second, { runner: rooted })
    id = await mesh.publish(first, { author })
  })
  test.afterAll(({ fileMesh: mesh }) => mesh.stopAll())

  test('waits for a root that vouches for the author', async () => {
    await waitForState(last, id, 'parked')
    expect(last.trustTree(formatAddress(author.address)).asked?.in).toBe(false)
    // the lower link is of no use before the upper one is known
    await tell(delegateTo(root, middle.address, depth))
    await tell(delegateTo(middle, author.address, { seq: 1 }))
    await stateOf(last, id, 'running')
    const { asked } = last.trustTree(formatAddress(author.address))
    expect(asked).toMatchObject({ in: true })
    expect(asked?.path).toEqual([root, middle, author].map(({ address }) => formatAddress(address)))
  })

  test('stops when a link in the middle is revoked, and waits again', async () => {
    await tell(delegateTo(root, middle.address, { ...depth, seq: 2, revoked: true }))
    await waitForState(last, id, 'parked')
    const { asked, roots } = last.trustTree(formatAddress(author.address))
    expect(asked?.in).toBe(false)
    expect(JSON.stringify(roots)).toMatch(/revoked/)
  })

  test('is not deceived by the older link, sent again', async () => {
    const old = delegateTo(root, middle.address, depth)
    expect((await last.submitStatement(old)).outcome).toBe('older')
    await expect(tell(old)).rejects.toThrow(/a later statement/)
    expect(last.service(id).state).toBe('parked')
    await tell(delegateTo(root, middle.address, { ...depth, seq: 3 }))
    await stateOf(last, id, 'running')
  })
})

describe.skipIf(!needs('bubblewrap'))('a node that was away', () => {
  const hub = newHub()
  const trusting = { ...ON_HOST, TRUSTED_HUBS: { [hub.text]: {} } }
  let first: ThundercloudNode

  /** It runs a service, goes, the hub speaks, and it comes back. */
  async function comeBack(
    mesh: Mesh,
    name: string,
    tell: (statement: Uint8Array) => Promise<unknown>,
  ): Promise<{ node: ThundercloudNode; id: string }> {
    const node = await mesh.join(name, first, { runner: trusting, stopRunsOnClose: false })
    const id = await mesh.publish(first, { name })
    const { code } = first.service(id)
    await tell(hub.says('safe', code))
    await stateOf(node, id, 'running')
    await mesh.stop(name)
    await tell(hub.says('unsafe', code))
    const again = await mesh.start(name, { stopRunsOnClose: false })
    expect(again.services().find((service) => service.id === id)?.run).toBeDefined()
    return { node: again, id }
  }

  test.afterAll(({ fileMesh: mesh }) => mesh.stopAll())

  test('learns it from a neighbour that trusts the hub too', async ({ fileMesh: mesh }) => {
    first = await mesh.start('neighbour', { runner: { ...trusting, ...RUNS_NOTHING } })
    const { node, id } = await comeBack(mesh, 'one', (statement) =>
      first.submitStatement(statement, { asPublisher: true }),
    )
    await stateOf(node, id, 'stopped')
    expect(node.statements({ signer: hub.text })).toMatchObject([{ verdict: 'unsafe' }])
  })

  test('learns it from the records of peers to whom the hub is nobody', async ({ fileMesh: mesh }) => {
    const strangers: ThundercloudNode[] = []
    for (const name of ['stranger-one', 'stranger-two', 'stranger-three']) {
      strangers.push(await mesh.join(name, strangers, { runner: RUNS_NOTHING }))
    }
    first = strangers[0] as ThundercloudNode
    await using laptop = await mesh.visitor(first)
    const tell = async (statement: Uint8Array) => {
      expect((await laptop.submitStatement(statement)).records).toBeGreaterThan(0)
    }
    const { node, id } = await comeBack(mesh, 'two', tell)
    await stateOf(node, id, 'stopped')
    expect(node.statements({ signer: hub.text })).toMatchObject([{ verdict: 'unsafe', via: 'record' }])
    for (const stranger of strangers) expect(stranger.statements()).toEqual([])
  })
})

describe.skipIf(!needs('bubblewrap'))('a word that is stapled to a service', () => {
  const hub = newHub()
  const trusting = { ...ON_HOST, TRUSTED_HUBS: { [hub.text]: {} } }
  const run = { command: ['node', 'server.js'], kind: 'service' as const }
  let first: ThundercloudNode
  let code: string

  test.beforeAll(async ({ fileMesh: mesh }) => {
    first = await mesh.start('publisher', { runner: RUNS_NOTHING })
    code = await addFolder(first, HELLO_WEB)
  })

  /** Published by an author with the hub's word on it. */
  async function publishWith(node: ThundercloudNode, name: string, staple: Uint8Array): Promise<string> {
    const change = { name, code: parseCid(code), statements: [staple], run, replyTo: first.multiaddrs() }
    const service = makeService({ depth: 2, change })
    await node.receive(bytesOf(service), { asPublisher: true })
    return idOf(service)
  }

  test('is enough where no peer knows more, and a mesh that cannot be asked stops nothing', async ({
    fileMesh: mesh,
  }) => {
    // without a DHT every lookup fails
    const node = await mesh.join('alone', first, { runner: trusting, dht: false })
    const id = await publishWith(first, 'alone', hub.says('safe', code))
    await stateOf(node, id, 'running')
    expect(await node.lookUpStatements({ code })).toMatchObject([{ verdict: 'safe', via: 'staple' }])
    const { statements } = await node.health()
    expect(statements.failedLookups).toBeGreaterThan(0)
    expect(node.service(id).state).toBe('running')
    await mesh.stop('alone')
  })

  test('does not hide the newer one in the records of strangers: it is not begun', async ({ fileMesh: mesh }) => {
    // other files are other code: what was learnt of the one says nothing of the other
    const folder = join(mesh.root, 'other')
    await cp(HELLO_WEB, folder, { recursive: true })
    await writeFile(join(folder, 'other.txt'), 'other')
    code = await addFolder(first, folder)
    const safe = hub.says('safe', code)
    await using laptop = await mesh.visitor(first)
    expect((await laptop.submitStatement(hub.says('unsafe', code))).records).toBeGreaterThan(0)
    const node = await mesh.join('careful', first, { runner: trusting })
    // the code is here already: nothing but the lookup keeps it from being started
    await addFolder(node, folder)
    const happened: { service: string; state: string }[] = []
    using _listening = node.events.on('execution:state', (detail) => void happened.push(detail))
    const id = await publishWith(first, 'careful', safe)
    await eventually(async () => expect((await node.explain(id)).verdict.reasons).toContainEqual(unsafeReason))
    const states = () => happened.flatMap(({ service, state }) => (service === id ? [state] : []))
    await eventually(() => expect(states().at(-1)).toBe('stopped'))
    expect(states()).not.toContain('starting')
    const history = (await node.explain(id, { history: true })).history ?? []
    expect(history.map(({ verdict }) => verdict?.run !== false)).toEqual([false, true])
  })
})

const unsafeReason = expect.objectContaining({ rule: 'veto', outcome: 'fail' })

const root = newSigner()

test("what a node's own services carry along is stapled by the manifest, what has expired is left out, and others believe it", async ({
  mesh,
}) => {
  const { address } = await mesh.start('owner')
  const subject = parseAddress(address)
  await mesh.stop('owner')
  const folder = join(mesh.root, 'hello')
  await cp(HELLO_WEB, folder, { recursive: true })
  await mkdir(join(folder, '.thundercloud'), { recursive: true })
  const now = nowSeconds(system.clock)
  await writeFile(join(folder, '.thundercloud/root'), delegateTo(root, subject, { issued: now, expires: now + 3600 }))
  await writeFile(
    join(folder, '.thundercloud/old'),
    delegateTo(root, subject, { issued: now - 7200, expires: now - 3600 }),
  )
  const manifest = await readFile(join(folder, 'service.json'), 'utf8')
  const staple = '{ "staple": [".thundercloud/root", ".thundercloud/old"],'
  await writeFile(join(folder, 'service.json'), manifest.replace('{', staple))
  const services = join(mesh.dir('owner'), 'services.json')
  const settings = JSON.parse(await readFile(services, 'utf8')) as object
  const own = { 'hello-web': { DIR: folder, PUBLISH: true } }
  await writeFile(services, JSON.stringify({ ...settings, SERVICES: own }))

  const owner = await mesh.start('owner')
  const TRUST_TREE = { ROOTS: { [formatAddress(root.address)]: { DEPTH: 1 } } }
  const believer = await mesh.join('believer', owner, { runner: { TRUST_TREE } })
  const received = () => believer.statements({ address })
  await eventually(() => expect(received()).toMatchObject([{ via: 'staple', trusted: true, issued: now }]))
  expect(believer.trustTree(address).asked?.in).toBe(true)
  expect(believer.service('hello-web').author).toBe(address)
})
