import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { TUNNEL_WINDOW_BYTES } from '../../../protocols/limits.ts'
import { encodeFrame, TUNNEL_PROTOCOL } from '../../../protocols/tunnel.ts'
import { openTunnel, readHello, readWelcome, sendHello, sendWelcome, serveTunnel } from '../../../src/network/index.ts'
import { connect, isStill, networks } from './make.ts'

const MIB = 1024 * 1024

const all = networks()

/** A tunnel to a TCP server that `serve` handles, as a node makes it: hello, welcome, then frames. */
async function tunnelTo(serve: (socket: Duplex) => void) {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => {}))).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  all.stack.defer(() => void server.close())
  const [a, b] = [await all.make(), await all.make()]
  const ended = Promise.withResolvers<unknown>()
  await b.network.streams.handle(TUNNEL_PROTOCOL, async (stream) => {
    expect((await readHello(stream)).port).toBe('web')
    await sendWelcome(stream, { is: 'open' })
    const socket = connectTcp({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
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

test('nobody reads: the writer waits for credit, and nothing piles up', async () => {
  let taken = 0
  const { pipe } = await tunnelTo((socket) => {
    socket.on('error', () => {})
    // a service that sends for ever
    const send = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) taken += 65_536
    }
    socket.on('drain', send)
    send()
  })
  await isStill(() => taken, 'the service waits')
  expect(pipe.readableLength).toBeLessThan(2 * TUNNEL_WINDOW_BYTES)
  pipe.on('error', () => {})
  pipe.destroy()
})

test('a destroyed side tells the other why', async () => {
  const gone = Promise.withResolvers<void>()
  const { pipe, ended } = await tunnelTo((socket) => {
    socket.on('error', () => {})
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
  const { pipe } = await tunnelTo((socket) => {
    ;(socket as import('node:net').Socket).resetAndDestroy()
  })
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
