import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { addressGroup, createConnectionLimits } from '../../../src/api/connection-limits.ts'
import { createApi, createApiClient, NoDaemonError, serveApi, serveOperator } from '../../../src/api/index.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { AccessError, InputError, NotFoundError, UnavailableError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { announcementOf, createFakeNode, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiInMemory, apiOnLoopback, TOKEN, test } from './harness.ts'

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** What the server sends until it closes. */
async function readUntilClosed(socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => void pieces.push(piece))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(pieces).toString()
}

test('every call has its own type, every failure its own class', async ({ loopback: it }) => {
  const { client, node } = it
  const { bytes, id } = announcementOf(node.signer, it)
  expect(await client.announce(bytes)).toEqual({ id, outcome: 'new' })
  expect([...node.published]).toEqual([id])
  expect((await client.services()).map((view) => view.id)).toEqual([id])
  expect((await client.service('hello')).ports).toEqual([{ name: 'http', port: 8080, access: 'any' }])
  expect((await client.explain(id)).verdict.reasons[1]?.needs?.value).toBe('268435456')
  node.addReceipt(id, 'running')
  expect((await client.ask(id))[0]?.state).toBe('running')
  expect(await client.stop(id)).toEqual({ scope: 'mesh' })
  expect((await client.health()).ok).toBe(true)
  expect((await client.node()).multiaddrs).toEqual(node.multiaddrs())
  expect(await client.peers()).toEqual([])
  await client.reload()
  await expect(client.service('nothing')).rejects.toThrow(NotFoundError)
  await expect(client.announce(Uint8Array.of(1))).rejects.toThrow(InputError)
  node.refuse = { outcome: 'refused', reason: 'the queue is full', retry: true }
  const stranger = createApiClient({ url: it.served.url, clock: it.clock })
  await expect(stranger.announce(announcementOf(newSigner(), it).bytes)).rejects.toThrow(UnavailableError)
  await expect(stranger.services()).rejects.toThrow(AccessError)
})

test('the client and a real server: an unwell node says so with 503 and still answers', async ({ loopback: it }) => {
  const real = it.node.health
  it.node.health = async () => ({ ...(await real()), ok: false })
  expect((await fetch(`${it.served.url}/health`)).status).toBe(503)
  expect((await it.client.health()).ok).toBe(false)
})

test('the client and a real server: uploads an archive piece by piece', async ({ loopback: it }) => {
  async function* pieces() {
    for (let count = 0; count < 64; count++) yield new Uint8Array(64 * 1024).fill(count)
  }
  const { code, size } = await it.client.addArchive(pieces())
  expect([it.node.archives.get(code), size]).toEqual([4 * 1024 * 1024, 4 * 1024 * 1024])
})

test('an upload that breaks off is not taken for a whole one', async ({ loopback: it }) => {
  const ended = Promise.withResolvers<unknown>()
  const begun = Promise.withResolvers<void>()
  it.node.addArchive = async (tar) => {
    const read = async () => {
      for await (const _ of tar) begun.resolve()
    }
    await read().then(() => ended.resolve('whole'), ended.resolve)
    return { code: 'x', size: 0 }
  }
  const socket = await dial(it.served.port)
  socket.write(
    `POST /archive HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/x-tar\r\nContent-Length: 2048\r\n\r\n`,
  )
  socket.write(Buffer.alloc(1024))
  await begun.promise
  socket.destroy()
  expect(await ended.promise).toBeInstanceOf(Error)
})

test('the client follows events and logs, and ends them with its signal', async ({ loopback: it }) => {
  await it.receive()
  const leave = new AbortController()
  const { signal } = leave
  const seen: string[] = []
  const events = (async () => {
    for await (const { name, detail } of it.client.events({ only: ['node:policy'], signal })) {
      seen.push(`${name} ${JSON.stringify(detail)}`)
      leave.abort(new Error('enough'))
    }
  })()
  const logs = Array.fromAsync(it.client.logs('hello', { tail: 5, follow: true, signal }))
  it.node.addLine('a line')
  const ticking = setInterval(() => it.node.events.emit('node:policy', { hash: 'h' }), 10)
  // both at once: either may end first
  await Promise.all([expect(events).rejects.toThrow('enough'), expect(logs).rejects.toThrow('enough')])
  clearInterval(ticking)
  expect(seen[0]).toBe('node:policy {"hash":"h"}')
})

test('the client and a real server: no node there is a NoDaemonError', async ({ loopback: it }) => {
  await it.served[Symbol.asyncDispose]()
  await expect(it.client.health()).rejects.toThrow(NoDaemonError)
})

test('the server: a port in use is an InputError that names the key', async ({ loopback: it }) => {
  using other = createApi({ node: it.node, clock: it.clock, log: silentLog(), token: TOKEN })
  const sentence = `the API's address 127.0.0.1:${it.served.port} is in use by another program; give API in node.json another port`
  await expect(serveApi(other, '127.0.0.1', it.served.port)).rejects.toThrow(new InputError(sentence))
  await expect(serveApi(other, '192.0.2.1', 0)).rejects.toThrow(/no address of this machine; change API in node.json/)
})

test('the server: ends at once although streams are open and connections idle', async () => {
  const it = await apiOnLoopback()
  const socket = await dial(it.served.port)
  const streaming = await dial(it.served.port)
  streaming.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  await once(streaming, 'data')
  const before = performance.now()
  await Promise.all([readUntilClosed(socket), readUntilClosed(streaming), it[Symbol.asyncDispose]()])
  expect(performance.now() - before).toBeLessThan(1_500)
})

test('the server: a body that dawdles is given up', async () => {
  const clock = manualClock()
  const node = createFakeNode({ clock })
  const api = createApi({ node, clock, log: silentLog(), token: TOKEN })
  await using served = await serveApi(api, '127.0.0.1', 0)
  const socket = await dial(served.port)
  const answer = readUntilClosed(socket)
  socket.write(
    'POST /service HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor\r\nContent-Length: 100\r\n\r\nab',
  )
  while (socket.bytesRead === 0) await clock.advance(1_000)
  expect(await answer).toMatch(/^HTTP\/1.1 408 /)
})

test('the server: a reader of events that stops reading is cut off', async ({ loopback: it }) => {
  const socket = await dial(it.served.port)
  socket.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  const detail = { reason: 'x'.repeat(1000) }
  for (let round = 0; round < 200 && !it.lines.some((line) => line.includes('too slow')); round++) {
    for (let count = 0; count < 100; count++) it.node.events.emit('node:policy-refused', detail)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(it.lines.some((line) => line.includes('too slow'))).toBe(true)
  socket.resume()
  await closed
})

const POST = 'POST /service HTTP/1.1\r\nHost: localhost\r\n'

test.for([
  ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ['a bad host', 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['a bad target', 'GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['bad escapes', 'GET /service/%ff%00%2f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ['no HTTP', 'hello\r\n\r\n'],
  ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
  ['a length and chunks', `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['bad chunks', `${POST}Content-Type: application/cbor\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
  ['a long header', `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
] as const)('the server: answers %s with a 4xx and lives on', async ([_what, text], { loopback: it }) => {
  const socket = await dial(it.served.port)
  const answer = readUntilClosed(socket)
  socket.end(text)
  expect(await answer).toMatch(/^HTTP\/1.1 4\d\d /)
  expect((await it.client.health()).ok).toBe(true)
})

test('the operator reaches the node again within a minute of somebody removing the folder of its socket', async () => {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'tc-operator-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  using it = apiInMemory()
  let prepared = 0
  const prepare = async () => void prepared++
  const folder = join(root, 'api')
  const socket = stack.use(await serveOperator(it.api, folder, { clock: it.clock, log: silentLog(), prepare }))
  const client = createApiClient({ url: 'http://localhost', socketPath: socket.path, clock: systemClock() })
  expect((await client.health()).ok).toBe(true)
  await it.clock.advance(60_000)
  expect(prepared).toBe(0)

  await rm(folder, { recursive: true })
  await expect(client.health()).rejects.toThrow(/no node answers at .*api\.sock/)
  await it.clock.advance(60_000)
  await expect
    .poll(() =>
      client.health().then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    .toBe(true)
  expect(prepared).toBe(1)
})

function socketFrom(remoteAddress: string): Socket & { destroyed: boolean } {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    destroyed: false,
    destroy() {
      socket.destroyed = true
      socket.emit('close')
    },
  })
  return socket as unknown as Socket & { destroyed: boolean }
}

const sharing = base.extend('shares', () => createConnectionLimits({ total: 6, perAddress: 3, requestsPerAddress: 2 }))

sharing('an address that opens one more than its share loses its oldest idle one', ({ shares }) => {
  const all = Array.from({ length: 4 }, () => socketFrom('10.0.0.1'))
  for (const [index, socket] of all.entries()) {
    shares.add(socket)
    if (index === 0) shares.begin(socket)
  }
  expect(all.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false])
  expect(shares.size).toBe(3)
})

sharing('with all places taken, a newcomer displaces one of the address that has most', ({ shares }) => {
  const greedy = Array.from({ length: 3 }, () => socketFrom('10.0.0.1'))
  const others = ['2', '3', '4'].map((last) => socketFrom(`10.0.0.${last}`))
  for (const socket of [...greedy, ...others]) shares.add(socket)
  const newcomer = socketFrom('10.0.0.5')
  shares.add(newcomer)
  expect(greedy.map(({ destroyed }) => destroyed)).toEqual([true, false, false])
  expect([...others, newcomer].some(({ destroyed }) => destroyed)).toBe(false)
})

sharing('what has shown the token is not displaced, and all is forgotten with its connection', ({ shares }) => {
  const mine = socketFrom('10.0.0.1')
  shares.add(mine)
  shares.trust(mine)
  const rest = Array.from({ length: 9 }, () => socketFrom('10.0.0.1'))
  for (const socket of rest) shares.add(socket)
  expect(mine.destroyed).toBe(false)
  expect(Array.from({ length: 5 }, () => shares.begin(mine))).not.toContain(false)
  for (const socket of rest) socket.destroy()
  expect(shares.size).toBe(0)
})

sharing('requests in flight are counted by address, and end with their connection', ({ shares }) => {
  const [one, two] = [socketFrom('10.0.0.1'), socketFrom('::ffff:10.0.0.1')]
  for (const socket of [one, two]) shares.add(socket)
  expect([shares.begin(one), shares.begin(two), shares.begin(two)]).toEqual([true, true, false])
  shares.end(one)
  expect(shares.begin(one)).toBe(true)
  one.destroy()
  expect(shares.begin(two)).toBe(true)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['2001:db8:0:1::5', '2001:db8:0:1::/64'],
  ['2001:db8:0:1:9:8:7:6', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s shares with %s', (address, key) => {
  expect(addressGroup(address)).toBe(key)
})
