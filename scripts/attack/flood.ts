import { connect, type Socket } from 'node:net'
import { createRawPeer, field, framed, gossipFrame, type RawPeer, sendFast } from './raw-peer.ts'
import { type Figures, MESHSUB, pause, type Target, TOPIC, until } from './target.ts'

/** Connections that say nothing, opened again as soon as they are closed, from one address or from sixteen. */
export function silence({ address, ms, count }: Target, addresses: number): Promise<Figures> {
  return silentSockets(Number(address.split('/')[4]), { ms, count, addresses })
}

/** The same, against the API. */
export function silentApi({ api, ms, count }: Target): Promise<Figures> {
  return silentSockets(api, { ms, count, addresses: 1 })
}

async function silentSockets(
  port: number,
  { ms, count, addresses }: { ms: number; count: number; addresses: number },
): Promise<Figures> {
  const sockets = new Set<Socket>()
  let opened = 0
  let over = false
  const open = (at: number) => {
    if (over) return
    const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + (at % addresses)}` })
    sockets.add(socket)
    socket.on('connect', () => opened++)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      setTimeout(() => open(at), 20)
    })
  }
  for (let at = 0; at < count; at++) open(at)
  await pause(ms)
  over = true
  for (const socket of sockets) socket.destroy()
  return { opened }
}

/** Peers that send on a gossip stream as fast as they can, and come back when they are cut off. */
async function floodGossip({ address, ms, count }: Target, bytes: Uint8Array): Promise<Figures> {
  let sent = 0
  let cuts = 0
  const one = async () => {
    const peer: RawPeer = await createRawPeer()
    await until(ms, async () => {
      if (!peer.connected) await peer.connect(address)
      const stream = await peer.open(MESHSUB)
      const over = performance.now() + ms
      try {
        while (performance.now() < over) {
          await sendFast(stream, bytes)
          sent += bytes.byteLength
        }
      } finally {
        cuts++
        stream.abort(new Error('again'))
      }
    })
    await peer[Symbol.asyncDispose]()
  }
  await Promise.all(Array.from({ length: count }, one))
  return { sentMiB: Math.round(sent / 1024 ** 2), cuts }
}

/** Frames of length 0: 64 thousand of them in one piece. */
export function emptyFrames(target: Target): Promise<Figures> {
  return floodGossip(target, new Uint8Array(64 * 1024))
}

/** Frames as long as the library takes, with many small messages each. */
export function longFrames(target: Target): Promise<Figures> {
  const messages = Array.from({ length: 2000 }, (_, at) => {
    const data = new Uint8Array(1900)
    new DataView(data.buffer).setUint32(0, at)
    return data
  })
  return floodGossip(target, gossipFrame(TOPIC, ...messages))
}

/** Values that no rule allows, put into the DHT. */
export function putValue(at: number): Uint8Array {
  const key = new TextEncoder().encode(`/attest/junk-${at}`)
  const record = Buffer.concat([field(1, key), field(2, new Uint8Array(200).fill(at)), field(5, TIME)])
  return framed(Buffer.concat([field(2, key), field(3, record)]))
}

const TIME = new TextEncoder().encode('2026-01-01T00:00:00.000000000Z')
