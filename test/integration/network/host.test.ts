import { generateKeyPairSync } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { peerIdOf } from '../../../protocols/address.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { listen } from '../../fixtures/net.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { addressOf, connect, createNetworks, isConnectedTo, newKey, type TestNetwork, until } from './fixtures.ts'

const all = createNetworks()

test('the peer id is the address of the identity, from an object or from PEM', async () => {
  const identity = newKey()
  const pem = identity.export({ type: 'pkcs8', format: 'pem' }).toString()
  const expected = peerIdOf(ed25519Signer(identity).address)
  const a = await all.make({ identity })
  expect(a.network.peerId).toBe(expected)
  await a.network[Symbol.asyncDispose]()
  const b = await all.make({ identity: pem })
  expect(b.network.peerId).toBe(expected)
  expect(addressOf(b)).toMatch(new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/\\d+/p2p/${expected}$`))
})

test('a stopped one leaves no timer that would keep its process alive', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const [a, b] = [await all.make(), await all.make()]
  await connect(a, b)
  // the library's heartbeat is armed again, which computes scores
  await until(() => a.network.peers()[0]?.score !== undefined, 'a heartbeat')
  await Promise.all([a.network[Symbol.asyncDispose](), b.network[Symbol.asyncDispose]()])
  expect(timers()).toBeLessThanOrEqual(before)
})

test('announced addresses are published too', async () => {
  const a = await all.make({ announce: ['/ip4/127.0.0.9/tcp/4980'] })
  expect(a.network.multiaddrs()).toContain(`/ip4/127.0.0.9/tcp/4980/p2p/${a.network.peerId}`)
})

test('other keys are refused with a sentence', async () => {
  for (const [identity, sentence] of [
    [generateKeyPairSync('ed25519').publicKey, 'is a public key; it must be an ed25519 private key'],
    [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'must be an ed25519 private key'],
    [generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'must be an ed25519 private key'],
    ['nonsense', 'is not a private key in PEM'],
  ] as const) {
    await expect(all.make({ identity })).rejects.toThrow(sentence)
  }
})

test('a port in use names the address and the key to change', async () => {
  const server = createServer()
  all.stack.defer(() => void server.close())
  const taken = `/ip4/127.0.0.1/tcp/${await listen(server)}`
  await expect(all.make({ listen: ['/ip4/127.0.0.1/tcp/0', taken] })).rejects.toMatchObject({
    name: 'ListenError',
    message: `${taken} is in use by another program; change LISTEN in node.json`,
  })
})

test('the data folder is free again after a failed start, and after a stop', async () => {
  const dataDir = await tempDir()
  const a = await all.make()
  const taken = addressOf(a).replace(/\/p2p\/.*/, '')
  await expect(all.make({ dataDir, listen: [taken] })).rejects.toThrow(/LISTEN/)
  const b = await all.make({ dataDir })
  await b.network[Symbol.asyncDispose]()
  const c = await all.make({ dataDir })
  await connect(c, a)
})

test('connections come and go as events and views', async () => {
  const [a, b] = [await all.make(), await all.make()]
  const seen: unknown[] = []
  b.events.onAny((name, detail) => name.startsWith('network:peer') && seen.push([name, detail]))
  expect(await a.network.dial(addressOf(b))).toBe(b.network.peerId)
  await until(() => b.network.peers().length === 1, 'the connection')
  const [peer] = b.network.peers()
  expect(peer).toMatchObject({
    peerId: a.network.peerId,
    direction: 'inbound',
    static: false,
    score: 0,
    relayed: false,
  })
  expect(peer?.multiaddr).toMatch(new RegExp(`/p2p/${a.network.peerId}$`))
  expect(Math.abs(Date.now() - (peer?.connectedAt ?? 0))).toBeLessThan(10_000)
  await a.network.hangUp(b.network.peerId)
  await until(() => !isConnectedTo(b, a), 'the end')
  await until(() => seen.length === 2, 'two events')
  expect(seen).toMatchObject([
    ['network:peer-connected', { peer: a.network.peerId, direction: 'inbound' }],
    ['network:peer-disconnected', { peer: a.network.peerId }],
  ])
  const gone = addressOf(b)
  await b.network[Symbol.asyncDispose]()
  await expect(a.network.dial(gone)).rejects.toMatchObject({ name: 'PeerUnavailableError' })
})

test('on a public network, private addresses are dialled only where someone asked for them', async () => {
  const b = await all.make()
  const a = await all.make({ visibility: 'public' })
  await expect(a.network.streams.open(b.network.peerId, '/x/1')).rejects.toMatchObject({ name: 'PeerUnavailableError' })
  expect(await a.network.dial(addressOf(b))).toBe(b.network.peerId)
})

const redial = { firstMs: 50, maxMs: 200 }

test('a blocked peer is disconnected, neither let in nor dialled, also as a static node, and comes back afterwards', async () => {
  const blocked = new Set<string>()
  const isBlocked = (peer: string) => blocked.has(peer)
  const other = await all.make()
  const a = await all.make({ staticNodes: [addressOf(other)], redial }, { isBlocked })
  await until(() => isConnectedTo(a, other), 'the static node')
  const { peerId } = other.network
  const failed = Promise.withResolvers<string>()
  a.events.on('network:dial-failed', ({ reason }) => failed.resolve(reason))
  blocked.add(peerId)
  a.network.disconnect(peerId)
  await until(() => !isConnectedTo(other, a), 'the end')
  expect(await failed.promise).toBe('the operator of this node has blocked it; it is not dialled until that ends')
  await expect(a.network.dial(addressOf(other))).rejects.toMatchObject({ name: 'PeerUnavailableError' })
  const [reached] = await Promise.allSettled([other.network.dial(addressOf(a))])
  await until(() => !isConnectedTo(other, a), `no connection (${reached.status})`)
  expect(a.network.peers()).toEqual([])
  blocked.clear()
  await until(() => isConnectedTo(a, other), 'the static node again')
})
const bare = (made: TestNetwork) => addressOf(made).replace(/\/p2p\/.*/, '')

test('a static node that restarts is dialled again, as long as it takes', async () => {
  const identity = newKey()
  const first = await all.make({ identity })
  const address = addressOf(first)
  const a = await all.make({ staticNodes: [address], redial })
  const failures: string[] = []
  a.events.on('network:dial-failed', ({ target }) => failures.push(target))
  await until(() => isConnectedTo(a, first), 'the static node')
  expect(a.network.peers()).toMatchObject([{ peerId: first.network.peerId, static: true, direction: 'outbound' }])
  expect(a.network.peers()[0]?.multiaddr).toBe(address)
  await first.network[Symbol.asyncDispose]()
  await until(() => failures.length >= 3, 'several failed dials')
  expect(failures).toContain(address)
  const second = await all.make({ identity, listen: [address.replace(/\/p2p\/.*/, '')] })
  expect(second.network.peerId).toBe(first.network.peerId)
  await until(() => isConnectedTo(a, second), 'the static node again')
})

test('a multiaddr without a peer id will do, and two nodes may name one another', async () => {
  const [x, y] = [await all.make({ join: false }), await all.make({ join: false })]
  x.network.setStaticNodes([bare(y)])
  y.network.setStaticNodes([bare(x)])
  await Promise.all([x.network.join(), y.network.join()])
  await until(() => isConnectedTo(x, y) && isConnectedTo(y, x), 'each other')
  await until(() => x.network.peers()[0]?.static === true && y.network.peers()[0]?.static === true, 'static both ways')
})

test('a node never dials itself', async () => {
  const a = await all.make({ join: false })
  const failures: string[] = []
  a.events.on('network:dial-failed', ({ reason }) => failures.push(reason))
  a.network.setStaticNodes([addressOf(a), bare(a)])
  await a.network.join()
  // it has gone through its list when it has dialled what comes last
  const last = await all.make()
  a.network.setStaticNodes([addressOf(a), bare(a), addressOf(last)])
  await until(() => isConnectedTo(a, last), 'the last of its static nodes')
  expect(failures).toEqual([])
  expect(a.network.peers().map(({ peerId }) => peerId)).toEqual([last.network.peerId])
})

test('an HTTP origin is asked for its multiaddrs; bad answers are reported and tried again', async () => {
  const other = await all.make()
  const answers: [number, string][] = [
    [500, 'broken'],
    [200, 'no json'],
    [200, '{"multiaddrs":"none"}'],
    [200, JSON.stringify({ multiaddrs: ['/ip4/127.0.0.1/tcp/1', 'rubbish', 7] })],
    [200, JSON.stringify({ multiaddrs: ['x'.repeat(100_000)] })],
    [200, JSON.stringify({ multiaddrs: [addressOf(other)] })],
  ]
  const asked: (string | undefined)[] = []
  const server = createHttpServer((request, response) => {
    asked.push(request.url)
    const [status, body] = answers[Math.min(asked.length, answers.length) - 1] as [number, string]
    response.writeHead(status).end(body)
  })
  all.stack.defer(() => void server.close())
  const origin = `http://127.0.0.1:${await listen(server)}`
  const a = await all.make({ staticNodes: [origin], redial: { firstMs: 10, maxMs: 20 }, join: false })
  const reasons: string[] = []
  a.events.on('network:dial-failed', ({ target, reason }) => reasons.push(`${target}: ${reason}`))
  await a.network.join()
  await until(() => isConnectedTo(a, other), 'the node behind the origin')
  expect(asked).toEqual(Array.from({ length: 6 }, () => '/node'))
  expect(reasons).toEqual([
    `${origin}: it answered with status 500`,
    `${origin}: its answer is not JSON`,
    `${origin}: its answer has no list "multiaddrs"`,
    `${origin}: its answer names no multiaddr that ends in /p2p/<peer id>`,
    `${origin}: its answer is too long`,
  ])
  expect(a.network.peers()[0]?.static).toBe(true)
})

test('what is no node is refused with a sentence', async () => {
  const named = all.make({ staticNodes: ['example.org'] })
  await expect(named).rejects.toThrow(/STATIC_NODES: "example.org" must be a multiaddr/)
  await expect(all.make({ staticNodes: ['/ip4/300.0.0.1/tcp/1'] })).rejects.toThrow(/is not a multiaddr/)
})

test('below the low-water mark, peers known from before are dialled', async () => {
  const dataDir = await tempDir()
  const identity = newKey()
  const others = await Promise.all(Array.from({ length: 3 }, () => all.make()))
  const before = await all.make({ identity, dataDir })
  for (const other of others) await before.network.dial(addressOf(other))
  await until(() => before.network.peers().length === 3, 'the first meeting')
  await before.network[Symbol.asyncDispose]()
  const after = await all.make({ identity, dataDir, keepPeers: { lowWater: 2, everyMs: 200 } })
  expect(after.network.peerId).toBe(before.network.peerId)
  await until(() => after.network.peers().length >= 2, 'known peers')
  expect(after.network.peers().length).toBe(2)
})

test('below the low-water mark, the DHT leads to more', async () => {
  const hub = await all.make({ dht: true })
  const nodes: TestNetwork[] = []
  for (let index = 0; index < 5; index++) {
    nodes.push(await all.make({ dht: true, staticNodes: [addressOf(hub)], keepPeers: { lowWater: 4, everyMs: 300 } }))
  }
  await until(() => nodes.every(({ network }) => network.peers().length >= 4), 'everyone has four neighbours', 45_000)
})
