import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { createRelay } from '../../../../src/simulation/live/hosting/relay.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'

const LATENCY_MS = 30
const LINKS = { latencyMs: { min: LATENCY_MS, max: LATENCY_MS } }
let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

/** Node 1 answers with what it gets; the port is that at which node 0 reaches it. */
async function relayed(answer: (socket: Socket) => void = (socket) => void socket.pipe(socket)) {
  const scenario = await wholeScenario(
    { title: 'two', nodes: 2, seconds: 1, topology: { kind: 'edges', edges: [[0, 1]] }, links: LINKS },
    { file: 'scenario.json', folder: '.' },
  )
  const relay = createRelay(scenario)
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}))
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const [port] = (await relay({ do: 'open', pairs: [[0, 1]] })) as [number]
  const open = () => {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {})
    stack.defer(() => void socket.destroy())
    return socket
  }
  const { port: target } = server.address() as AddressInfo
  return { relay, open, listens: () => relay({ do: 'target', node: 1, port: target }) }
}

test('bytes arrive whole and in order, each way later by the latency of the link', async () => {
  const { open, listens } = await relayed()
  await listens()
  const socket = open()
  const began = performance.now()
  const sent = Buffer.from('0123456789'.repeat(300_000))
  socket.end(sent)
  const answer = await text(socket)
  expect(answer === sent.toString()).toBe(true)
  // the handshake, there and back
  expect(performance.now() - began).toBeGreaterThanOrEqual(4 * LATENCY_MS - 2)
})

test('a connection to a node that does not listen, or that resets it, is reset', async () => {
  const { open, listens } = await relayed((socket) => void socket.resetAndDestroy())
  const closed = () => new Promise((resolve) => void open().once('close', resolve))
  await closed()
  await listens()
  await closed()
})

test('a cut holds back what is sent until it is healed, and connections stay', async () => {
  const { relay, open, listens } = await relayed()
  await listens()
  const socket = open()
  socket.write('a')
  expect(String((await once(socket, 'data'))[0])).toBe('a')
  await relay({ do: 'cut', nodes: [1] })
  let got = ''
  socket.on('data', (bytes) => {
    got += bytes
  })
  socket.write('b')
  // ten times what it takes without a cut
  await new Promise((resolve) => setTimeout(resolve, 20 * LATENCY_MS))
  expect(got).toBe('')
  await relay({ do: 'heal', nodes: [1] })
  await once(socket, 'data')
  expect(got).toBe('b')
  expect(socket.destroyed).toBe(false)
})
