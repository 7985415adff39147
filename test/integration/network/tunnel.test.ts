import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { addressBytes, addressOfPeerId } from '../../../protocols/address.ts'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { TUNNEL_WINDOW_BYTES } from '../../../protocols/limits.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { encodeStatusRequest, STATUS_PROTOCOL } from '../../../protocols/streams/status.ts'
import { encodeFrame, TUNNEL_PROTOCOL } from '../../../protocols/streams/tunnel.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { openTunnel, readHello, readWelcome, sendHello, sendWelcome, serveTunnel } from '../../../src/network/index.ts'
import { createStatusServer, type StatusComponents } from '../../../src/node/handlers/status.ts'
import type { Services } from '../../../src/services/registry.ts'
import { listen } from '../../fixtures/net.ts'
import { connect, createNetworks, staysConstant, until } from './fixtures.ts'

const MIB = 1024 * 1024

const all = createNetworks()

/** A tunnel to a TCP server that `serve` handles, as a node makes it: hello, welcome, then frames. */
async function tunnelTo(serve: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => {})))
  const port = await listen(server)
  all.stack.defer(() => void server.close())
  const [a, b] = [await all.make(), await all.make()]
  const ended = Promise.withResolvers<unknown>()
  await b.network.streams.handle(TUNNEL_PROTOCOL, async (stream) => {
    expect((await readHello(stream)).port).toBe('web')
    await sendWelcome(stream, { is: 'open' })
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
    await serveTunnel(stream, socket).then(ended.resolve, ended.resolve)
  })
  await connect(a, b)
  const stream = await a.network.streams.open(b.network.peerId, TUNNEL_PROTOCOL)
  await sendHello(stream, { v: 1, service: cidOfStructure(Uint8Array.of(1)), port: 'web' })
  expect(await readWelcome(stream)).toEqual({ is: 'open' })
  return { pipe: openTunnel(stream), stream, ended: ended.promise }
}

test('32 MiB go there and back through a slow reader, then both ways end', async () => {
  const { pipe, ended } = await tunnelTo((socket) => socket.pipe(socket))
  const block = new Uint8Array(MIB).map((_, index) => index * 7)
  const sent = createHash('sha256')
  const writing = (async () => {
    for (let index = 0; index < 32; index++) {
      sent.update(block)
      if (!pipe.write(block)) await once(pipe, 'drain')
    }
    pipe.end()
  })()
  const came = createHash('sha256')
  let size = 0
  for await (const part of pipe) {
    came.update(part)
    size += part.byteLength
    if (size < MIB) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await writing
  expect(size).toBe(32 * MIB)
  expect(came.digest('hex')).toBe(sent.digest('hex'))
  expect(await ended).toBeUndefined()
})

test('the client ends, the server still answers', async () => {
  const { pipe, ended } = await tunnelTo((socket) => {
    let count = 0
    socket.on('data', (part: Buffer) => (count += part.byteLength))
    socket.on('end', () => socket.end(`got ${count}`))
  })
  pipe.end(Buffer.alloc(300_000))
  let answer = ''
  for await (const part of pipe) answer += part.toString()
  expect(answer).toBe('got 300000')
  expect(await ended).toBeUndefined()
})

test('without a reader the writer waits for credit, and nothing piles up', async () => {
  let taken = 0
  const { pipe } = await tunnelTo((socket) => {
    // a service that sends for ever
    const send = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) taken += 65_536
    }
    socket.on('drain', send)
    send()
  })
  await staysConstant(() => taken, 'the service waits')
  expect(pipe.readableLength).toBeLessThan(2 * TUNNEL_WINDOW_BYTES)
  pipe.on('error', () => {})
  pipe.destroy()
})

test('a destroyed side tells the other why', async () => {
  const gone = Promise.withResolvers<void>()
  const { pipe, ended } = await tunnelTo((socket) => {
    socket.on('end', () => gone.resolve())
    socket.resume()
  })
  pipe.on('error', () => {})
  pipe.write('hello')
  pipe.destroy(new Error('the browser left'))
  expect(String(await ended)).toContain('the browser left')
  await gone.promise
})

test('a service that dies resets the tunnel', async () => {
  const { pipe } = await tunnelTo((socket) => void socket.resetAndDestroy())
  await expect(once(pipe, 'end')).rejects.toThrow('the other side closed the tunnel')
})

const data = (bytes: number) => encodeFrame({ is: 'data', bytes: new Uint8Array(bytes) })

test.each([
  ['more than the credit', Array(6).fill(data(65_536)), /more than its credit/],
  ['credit for nothing', [encodeFrame({ is: 'credit', bytes: 1 })], /credit for what was not sent/],
  ['data after the end', [encodeFrame({ is: 'end' }), data(1)], /after its end/],
  ['no frame at all', [Uint8Array.of(9)], /unknown type/],
  ['an end without `end`', [], /was cut/],
])('a peer that sends %s is cut off', async (_name, frames, problem) => {
  const [a, b] = [await all.make(), await all.make()]
  await b.network.streams.handle('/bad/1', async (stream) => {
    for (const frame of frames) await stream.write(frame).catch(() => {})
    if (frames.length === 0) await stream.end()
    // until the other side has seen it: its end of the stream is cut then
    while ((await stream.read().catch(() => undefined)) !== undefined);
  })
  await connect(a, b)
  const pipe = openTunnel(await a.network.streams.open(b.network.peerId, '/bad/1'))
  const [error] = await once(pipe, 'error')
  expect(String(error)).toMatch(problem)
})

test('a log is followed no longer than its reader is there, also one that has ended its own side and receives nothing', async () => {
  const [server, client] = [await all.make(), await all.make()]
  const service = cidOfStructure(new Uint8Array(1))
  const author = addressBytes(addressOfPeerId(client.network.peerId))
  let following = 0
  const components: StatusComponents = {
    clock: systemClock(),
    keys: createKeyCache(),
    services: { get: () => ({ signed: { body: { author } } }) } as unknown as Services,
    onAsked: () => {},
    receipts: {} as StatusComponents['receipts'],
    async *logs(_id, { signal }) {
      following++
      try {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        yield* []
      } finally {
        following--
      }
    },
  }
  await server.network.streams.handle(STATUS_PROTOCOL, createStatusServer(components, { network: 'test' }))
  await connect(client, server)
  for (let count = 0; count < 3; count++) {
    const stream = await client.network.streams.open(server.network.peerId, STATUS_PROTOCOL)
    await stream.write(encodeStatusRequest({ v: 1, want: 'logs', service, tail: 10, follow: true }))
    await stream.end()
  }
  await until(() => following === 3, 'the log is followed')
  await client.network[Symbol.asyncDispose]()
  await until(() => following === 0, 'no reader follows the log any more')
})
