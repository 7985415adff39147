import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { peerIdOf } from '../../../protocols/address.ts'
import type { ReceiptState } from '../../../protocols/receipt.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { InterruptedError } from '../../../src/cli/errors.ts'
import type { FakeLightPeer } from '../../fixtures/mesh/fake-light-peer.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { test as base, type RunOptions, type Shell, withPeers } from '../../fixtures/program/shell.ts'

const HELLO = fileURLToPath(new URL('../../../configs/examples/hello-web', import.meta.url))
const JOIN = '--join /ip4/127.0.0.1/tcp/1/p2p/12D3KooWBNxKKd8uUziV6qJZMjT5CWRjWcW7kfDrGPbDerRCEY1a --network test'

/** Does `act` once, as soon as the peer has announced something. */
async function whenAnnounced(peers: FakeLightPeer[], act: (peer: FakeLightPeer, id: string) => void): Promise<void> {
  for (;;) {
    const [peer] = peers
    const [announcement] = peer?.announcements ?? []
    if (peer !== undefined && announcement !== undefined) return act(peer, announcement.signed.id.toString())
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const test = base.extend('hello', ({ shell }) => {
  cpSync(HELLO, shell.path('hello'), { recursive: true })
  return shell
})

test('publish --join ends when as many nodes as replicas hold it, and leaves nothing', async ({ hello: shell }) => {
  const { peers, factories } = withPeers()
  const publishing = shell.json(`publish hello ${JOIN} --replicas 2`, { factories })
  await whenAnnounced(peers, (peer, id) => {
    peer.answer(id, newSigner(), 'refused')
    peer.answer(id, newSigner(), 'running')
    peer.holderList.push('12D3KooWHolder')
  })
  const { code, values } = await publishing
  expect(code).toBe(0)
  // the order of the answers does not matter
  const words = values.map(({ event, state }) => state ?? event)
  const between = ['holder', 'refused', 'running']
  expect([words[0], words.slice(1, -1).sort(), words.at(-1)]).toEqual(['published', between, 'held'])
  expect(peers.map(({ disposed, init }) => [disposed, init.network])).toEqual([[true, 'test']])
  const { body } = peers[0]?.announcements[0]?.signed ?? {}
  expect(body).toMatchObject({ name: 'hello-web', seq: 1, replyTo: peers[0]?.replyTo() })
})

test('publish --join --wait: holding is not enough; the time limit ends it in one line', async ({ hello: shell }) => {
  const { peers, factories } = withPeers()
  const publishing = shell.run(`publish hello ${JOIN} --wait --timeout 1s`, { factories })
  await whenAnnounced(peers, (peer, id) => {
    peer.holderList.push('12D3KooWHolder')
    peer.answer(id, newSigner(), 'accepted')
  })
  const { code, stderr } = await publishing
  expect(code).toBe(5)
  expect(stderr.trim().split('\n').at(-1)).toMatch(
    /^after 1.0 s, 0 of 1 wanted nodes run "hello-web", healthy \(1 will run it\)$/,
  )
  expect(peers[0]?.disposed).toBe(true)
})

test('publish --join: a receipt about another service counts for nothing', async ({ hello: shell }) => {
  const { peers, factories } = withPeers()
  const publishing = shell.json(`publish hello ${JOIN} --wait --timeout 1s`, { factories })
  await whenAnnounced(peers, (peer) => {
    peer.answer(announcementOf(newSigner(), { clock: systemClock() }).id, newSigner(), 'running')
  })
  expect((await publishing).code).toBe(5)
})

test('publish --join: what was published is stopped and updated by its name', async ({ hello: shell }) => {
  const { peers, factories } = withPeers()
  const publishing = shell.run(`publish hello ${JOIN}`, { factories })
  await whenAnnounced(peers, (peer) => peer.holderList.push('12D3KooWHolder'))
  await publishing
  expect((await shell.run(`publish hello ${JOIN}`, { factories })).code).toBe(2)
  expect((await shell.run(`stop hello-web ${JOIN}`, { factories })).code).toBe(0)
  expect(peers.at(-1)?.announcements[0]?.signed).toMatchObject({ kind: 'stop', body: { name: 'hello-web', seq: 1 } })
  await shell.refused(`stop other ${JOIN}`, 'was not published with this key', { factories })
  const { stdout } = await shell.run(`status hello-web ${JOIN}`, { factories })
  expect(stdout).toContain('No node that answered knows it.')
})

test('publish --join: --network without --join is wrong usage', async ({ hello: shell }) => {
  expect((await shell.run('publish hello --network x')).stderr).toContain('--network goes with --join')
})

async function listening(onConnection: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() }
}

/** Runs `connect`, and `use` with the local port, then Ctrl-C. */
type Use = (port: number) => Promise<void>
async function connecting(shell: Shell, named: string, factories: RunOptions['factories'], use: Use) {
  const leave = new AbortController()
  const ready = Promise.withResolvers<number>()
  const running = shell.json(`connect ${named}`, {
    factories,
    signal: leave.signal,
    onOutput(output) {
      const { event, local } = JSON.parse(output.split('\n')[0] as string) as { event: string; local: { port: number } }
      if (event === 'listening') ready.resolve(local.port)
    },
  })
  void running.then(({ stderr }) => ready.reject(new Error(stderr)))
  await use(await ready.promise)
  leave.abort(new InterruptedError('interrupted', 130))
  return await running
}

test('connect carries connections both ways, with half-close, each in its own tunnel', async ({ withNode: shell }) => {
  const id = await shell.receive()
  shell.node.addReceipt(id, 'running')
  // answers only when the other side has ended: half-close must pass through
  using service = await listening((socket) => {
    let received = ''
    socket.on('data', (piece) => {
      received += piece
    })
    socket.on('end', () => socket.end(`received ${received}`))
  })
  const { peers, factories } = withPeers(service.port)
  const { code } = await connecting(shell, 'hello', factories, async (port) => {
    const answers = await Promise.all(
      ['one', 'two', 'x'.repeat(300_000)].map(async (words) => {
        const socket = dial({ port, host: '127.0.0.1', allowHalfOpen: true })
        socket.end(words)
        return await text(socket)
      }),
    )
    expect(answers).toEqual(['received one', 'received two', `received ${'x'.repeat(300_000)}`])
  })
  expect(code).toBe(130)
  const peer = { disposed: true, init: { network: 'test', join: shell.node.multiaddrs() } }
  expect(peers).toMatchObject([peer])
})

test('connect: one that fails is reported and harms no other; Ctrl-C ends open ones', async ({ withNode: shell }) => {
  const id = await shell.receive()
  shell.node.addReceipt(id, 'running')
  const view = shell.node.service(id)
  shell.node.put({ ...view, ports: [...view.ports, { name: 'closed', port: 2, access: 'any' }] })
  // a node runs it, and refuses this port
  const { factories } = withPeers(1)
  const refused = await connecting(shell, 'hello:closed', factories, async (port) => {
    for (let count = 0; count < 2; count++) expect(await text(dial(port, '127.0.0.1'))).toBe('')
  })
  expect(refused.values.slice(1)).toEqual(
    Array(2).fill({ event: 'failed', reason: 'no node was found that runs the service' }),
  )
  using silent = await listening(() => {})
  const open: Promise<string>[] = []
  await connecting(shell, 'hello:http', withPeers(silent.port).factories, async (port) => {
    const socket = dial(port, '127.0.0.1')
    await once(socket, 'connect')
    open.push(text(socket).catch(() => ''))
  })
  expect(await Promise.all(open)).toEqual([''])
})

test.for<[string, string | RegExp]>([
  ['hello:nope', /has no port "nope"; it has http/],
  ['hello --local TAKEN', /is in use; give --local another/],
  ['hello --key missing.pem', /^--key missing\.pem is not there/],
])('connect: %s is explained', async ([named, sentence], { withNode: shell }) => {
  shell.node.addReceipt(await shell.receive(), 'running')
  using taken = await listening(() => {})
  const { factories } = withPeers(1)
  await shell.refused(`connect ${named.replace('TAKEN', String(taken.port))}`, sentence, { factories })
})

test('connect: without a node, the id must be whole and the port named', async ({ shell }) => {
  const { factories } = withPeers(1)
  await shell.refused(`connect hello ${JOIN}`, 'neither a complete service id nor a name', { factories })
  const { id } = announcementOf(newSigner(), { clock: systemClock() })
  await shell.refused(`connect ${id} ${JOIN}`, 'name the port: SERVICE:PORT', { factories })
})

test('logs, connect, results: where joined nodes do not run it, the sentence says why others may be out of reach', async ({
  shell,
}) => {
  const { id } = announcementOf(newSigner(), { clock: systemClock() })
  const joined = newSigner()
  const join = `--join /ip4/127.0.0.1/tcp/1/p2p/${peerIdOf(joined.address)} --network test`
  const asked: [string, ReceiptState, boolean][] = [
    [`logs ${id} ${join}`, 'redirected', true],
    [`connect ${id}:http ${join}`, 'unknown', true],
    [`results ${id} ${join}`, 'redirected', true],
    [`logs ${id} ${join}`, 'refused', false],
    [`logs ${id} ${join.replace('127.0.0.1', '8.8.8.8')}`, 'redirected', false],
    // it was found by those that were joined, so these pass on private addresses
    [`logs ${id} ${JOIN}`, 'redirected', false],
  ]
  const hint = 'in a public network, nodes do not pass on private addresses: join the node that runs it'
  const said = await Promise.all(
    asked.map(async ([line, says]) => {
      const { code, stderr } = await shell.run(line, withPeers(undefined, says, joined))
      return [code, stderr.includes(hint)]
    }),
  )
  expect(said).toEqual(asked.map(([, , hinted]) => [1, hinted]))
})
