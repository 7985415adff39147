import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { addressOf, type Made, networks, newKey, until } from './make.ts'

const redial = { firstMs: 50, maxMs: 200 }

const all = networks()

const knows = (made: Made, other: Made) => made.network.connectedTo(other.network.peerId)

test('a static node that restarts is dialled again, as long as it takes', async () => {
  const identity = newKey()
  const first = await all.make({ identity })
  const address = addressOf(first)
  const a = await all.make({ staticNodes: [address], redial })
  const failures: string[] = []
  a.events.on('network:dial-failed', ({ target }) => failures.push(target))
  await until(() => knows(a, first), 'the static node')
  expect(a.network.peers()).toMatchObject([{ peerId: first.network.peerId, static: true, direction: 'outbound' }])
  expect(a.network.peers()[0]?.multiaddr).toBe(address)
  await first.network[Symbol.asyncDispose]()
  await until(() => failures.length >= 3, 'several failed dials')
  expect(failures).toContain(address)
  const second = await all.make({ identity, listen: [address.replace(/\/p2p\/.*/, '')] })
  expect(second.network.peerId).toBe(first.network.peerId)
  await until(() => knows(a, second), 'the static node again')
})

test('a multiaddr without a peer id will do, and two nodes may name one another', async () => {
  const [x, y] = [await all.make({ join: false }), await all.make({ join: false })]
  const bare = (made: Made) => addressOf(made).replace(/\/p2p\/.*/, '')
  x.network.setStaticNodes([bare(y)])
  y.network.setStaticNodes([bare(x)])
  await Promise.all([x.network.join(), y.network.join()])
  await until(() => knows(x, y) && knows(y, x), 'each other')
  await until(() => x.network.peers()[0]?.static === true && y.network.peers()[0]?.static === true, 'static both ways')
})

test('a node never dials itself', async () => {
  const a = await all.make({ join: false })
  const failures: string[] = []
  a.events.on('network:dial-failed', ({ reason }) => failures.push(reason))
  a.network.setStaticNodes([addressOf(a), addressOf(a).replace(/\/p2p\/.*/, '')])
  await a.network.join()
  // it has gone through its list when it has dialled what comes last
  const last = await all.make()
  a.network.setStaticNodes([addressOf(a), addressOf(a).replace(/\/p2p\/.*/, ''), addressOf(last)])
  await until(() => knows(a, last), 'the last of its static nodes')
  expect(failures).toEqual([])
  expect(a.network.peers().map(({ peerId }) => peerId)).toEqual([last.network.peerId])
})

test('an HTTP origin is asked for its multiaddrs; bad answers are told and tried again', async () => {
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
  const server = createServer((request, response) => {
    asked.push(request.url)
    const [status, body] = answers[Math.min(asked.length, answers.length) - 1] as [number, string]
    response.writeHead(status).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  all.stack.defer(() => void server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const a = await all.make({ staticNodes: [origin], redial: { firstMs: 10, maxMs: 20 }, join: false })
  const reasons: string[] = []
  a.events.on('network:dial-failed', ({ target, reason }) => reasons.push(`${target}: ${reason}`))
  await a.network.join()
  await until(() => knows(a, other), 'the node behind the origin')
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
  await expect(all.make({ staticNodes: ['example.org'] })).rejects.toThrow(
    /STATIC_NODES: "example.org" must be a multiaddr/,
  )
  await expect(all.make({ staticNodes: ['/ip4/300.0.0.1/tcp/1'] })).rejects.toThrow(/is not a multiaddr/)
})

test('below the low-water mark, peers known from before are dialled', async () => {
  const dataDir = await all.dir()
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
  const nodes: Made[] = []
  for (let index = 0; index < 5; index++) {
    nodes.push(await all.make({ dht: true, staticNodes: [addressOf(hub)], keepPeers: { lowWater: 4, everyMs: 300 } }))
  }
  await until(() => nodes.every(({ network }) => network.peers().length >= 4), 'everyone has four neighbours', 45_000)
})
