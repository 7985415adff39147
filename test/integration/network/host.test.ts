import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { peerIdOf } from '../../../protocols/address.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { addressOf, connect, networks, newKey, until } from './make.ts'

const all = networks()

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

test('announced addresses are told too', async () => {
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
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  all.stack.defer(() => void server.close())
  const taken = `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
  await expect(all.make({ listen: ['/ip4/127.0.0.1/tcp/0', taken] })).rejects.toMatchObject({
    name: 'ListenError',
    message: `${taken} is in use by another program; change LISTEN in node.json`,
  })
})

test('the data folder is free again after a failed start, and after a stop', async () => {
  const dataDir = await all.dir()
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
  expect(peer).toMatchObject({ peerId: a.network.peerId, direction: 'inbound', static: false, score: 0 })
  expect(peer?.multiaddr).toMatch(new RegExp(`/p2p/${a.network.peerId}$`))
  expect(Math.abs(Date.now() - (peer?.connectedAt ?? 0))).toBeLessThan(10_000)
  await a.network.hangUp(b.network.peerId)
  await until(() => !b.network.connectedTo(a.network.peerId), 'the end')
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
