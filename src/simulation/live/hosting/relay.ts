import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { machineClock } from '../../../base/clock.ts'
import type { WireEnd } from '../../network/types.ts'
import { createWire } from '../../network/wire.ts'
import { planOf } from '../../plan/plan.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { delayOf } from '../../whole/delay.ts'
import { hostOf, linksOf } from '../../whole/links.ts'
import type { RelayOrder } from '../messages.ts'
import { type Conduct, usage } from './conduct.ts'

const LOOPBACK = '127.0.0.1'
/** It passes on what it gets at once, and the end of each direction by itself. */
const SOCKET = { noDelay: true, allowHalfOpen: true }
/** All nodes have it on their side of the wire. */
const PORT = 1
/** What a receiver may leave unread; then it is taken to be gone. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/**
 * TCP between nodes of this machine, through the wire of the simulated engine in real time: latency, jitter, rate, losses that
 * make later what TCP sends again, and cuts. Each pair of nodes has a port of its own.
 */
export function createRelay(scenario: Scenario): Conduct<RelayOrder> {
  const wire = createWire(machineClock(), { linkOf: linksOf(planOf(scenario)), delayMs: delayOf(scenario) })
  const ports = new Map<number, number>()

  function listenFor(node: number): void {
    wire.listen({ host: hostOf(node), port: PORT }, (end) => {
      const port = ports.get(node)
      if (port === undefined) end.reset()
      else join(end, connect({ ...SOCKET, host: LOOPBACK, port }))
    })
  }

  async function open(from: number, to: number): Promise<number> {
    const server: Server = createServer({ ...SOCKET, pauseOnConnect: true }, (socket) => {
      const gone = new AbortController()
      socket.on('error', () => {}).once('close', () => gone.abort(new Error('the connection is closed')))
      wire
        .connect(hostOf(from), { host: hostOf(to), port: PORT }, { signal: gone.signal })
        .then((end) => join(end, socket))
        .catch(() => socket.resetAndDestroy())
    })
    server.listen(0, LOOPBACK)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  const listening = new Set<number>()
  return async (order) => {
    switch (order.do) {
      case 'open': {
        const opened: number[] = []
        for (const [from, to] of order.pairs) {
          if (!listening.has(to)) listenFor(to)
          listening.add(to)
          opened.push(await open(from, to))
        }
        return opened
      }
      case 'target':
        return void ports.set(order.node, order.port)
      case 'cut':
        return wire.cut(order.nodes.map(hostOf))
      case 'heal':
        return wire.heal(order.nodes.map(hostOf))
      case 'usage':
        return usage()
    }
  }
}

/** What one of them says, the other one does. */
function join(end: WireEnd, socket: Socket): void {
  let closed = false
  end.handlers = {
    onData(bytes) {
      socket.write(bytes)
      if (socket.writableLength > MAX_WAITING_BYTES) socket.resetAndDestroy()
    },
    onClose: () => void socket.end(),
    onReset: () => void socket.resetAndDestroy(),
    onDrain: () => void socket.resume(),
  }
  socket
    .on('data', (bytes: Buffer) => {
      if (!end.send(bytes)) socket.pause()
    })
    .once('end', () => {
      closed = true
      end.close()
    })
    .on('error', () => end.reset())
    .once('close', () => {
      if (!closed) end.reset()
    })
    .resume()
  // it went before it was here
  if (socket.destroyed) end.reset()
}
