import { type RequestOptions, request } from 'node:http'
import { encodeAnnouncement } from '../../protocols/announcement.ts'
import type { ThundercloudNode } from '../../src/node/index.ts'
import { idOf, makeService } from '../../test/fixtures/mesh/gossip-services.ts'
import { createWorld } from '../../test/fixtures/node/nodes.ts'
import { createRawPeer } from './raw-peer.ts'
import { answer } from './rpc.ts'

/** What came from the publisher through the node under test to the witness. */
export type Delivery = { readonly sent: number; readonly came: number; readonly p99Ms: number }

const stack = new AsyncDisposableStack()
const arrived = new Map<string, PromiseWithResolvers<number>>()
let publisher: ThundercloudNode | undefined

async function start({ address }: { address: string }): Promise<void> {
  const world = stack.use(await createWorld())
  const runner = { STATIC_NODES: [address] }
  const node = { QUOTAS: { NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000 } }
  publisher = await world.start('publisher', { runner, node })
  const witness = await world.start('witness', { runner, node })
  witness.events.on('node:verdict', ({ id }) => arrived.get(id)?.resolve(performance.now()))
  // the first ones show that the way is open
  for (let tries = 0; tries < 40; tries++) {
    const { came } = await deliver({ count: 1, everyMs: 0, patienceMs: 500 })
    if (came === 1) return
  }
  throw new Error('the honest nodes do not hear of one another')
}

async function deliver(asked: { count: number; everyMs: number; patienceMs: number }): Promise<Delivery> {
  const waits: Promise<number | undefined>[] = []
  for (let sent = 0; sent < asked.count; sent++) {
    const service = makeService({ depth: 3 })
    const came = Promise.withResolvers<number>()
    arrived.set(idOf(service), came)
    const startedAt = performance.now()
    await publisher?.receive(encodeAnnouncement(service), { asPublisher: true })
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, asked.patienceMs, undefined))
    waits.push(Promise.race([came.promise.then((at) => at - startedAt), late]))
    await new Promise((resolve) => setTimeout(resolve, asked.everyMs))
  }
  const latencies = (await Promise.all(waits)).filter((ms) => ms !== undefined).toSorted((a, b) => a - b)
  arrived.clear()
  return {
    sent: asked.count,
    came: latencies.length,
    p99Ms: Math.round(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * 0.99))] ?? -1),
  }
}

/** Dials of peers that are still unknown: how many had a connection that carries streams. */
async function dial({ address, count, everyMs }: { address: string; count: number; everyMs: number }): Promise<number> {
  let well = 0
  for (let tries = 0; tries < count; tries++) {
    const peer = await createRawPeer()
    try {
      await peer.connect(address)
      const stream = await peer.open('/ipfs/ping/1.0.0')
      const echo = new Promise<void>((resolve) => stream.addEventListener('message', () => resolve(), { once: true }))
      stream.send(new Uint8Array(32))
      await Promise.race([echo, new Promise((_, reject) => setTimeout(reject, 3000, new Error('no answer')))])
      well++
    } catch {
      // it counts as one that did not work
    }
    await peer[Symbol.asyncDispose]()
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  return well
}

/** Calls of the operator over the socket, and of a client at another address than the attackers': how many had both answers. */
async function call({ api, socket, count, everyMs }: { api: number; socket: string; count: number; everyMs: number }) {
  let well = 0
  for (let tries = 0; tries < count; tries++) {
    const [own, other] = await Promise.all([
      status({ socketPath: socket, path: '/services' }),
      status({ host: '127.0.0.1', localAddress: '127.0.0.1', port: api, path: '/health' }),
    ])
    if (own === 200 && other === 200) well++
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  return well
}

function status(where: RequestOptions): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ ...where, agent: false }, (answered) => {
      answered.resume()
      resolve(answered.statusCode ?? 0)
    })
    asked.on('error', () => resolve(0))
    asked.end()
  })
}

answer({ start, deliver, dial, call }, () => stack.disposeAsync())
