import { Socket } from 'node:net'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'

/** What this network's own nodes give a dial. */
const OPEN_MS = 10_000

const SILENT: ServiceFactoryMap = {}
const SPEAKING: ServiceFactoryMap = { identify: identify() }

/** What the library's multiplexer has and does not declare. */
type Muxer = {
  onData(bytes: unknown): void
  readonly maConn: { send(bytes: Uint8Array): boolean } & EventTarget
}

/** A peer of the library alone: it follows no rule of this network, and sends what the attack gives it. */
export interface RawPeer extends AsyncDisposable {
  readonly peerId: string
  /** A new connection each time; the last one is used by `open`. */
  connect(address: string): Promise<void>
  open(protocol: string): Promise<Stream>
  handle(protocol: string, handler: (stream: Stream) => void): Promise<void>
  /** Bytes to the other side's multiplexer, below all streams; its answers are dropped. */
  sendRaw(bytes: Uint8Array): Promise<void>
  readonly connected: boolean
  /** The socket is closed without notice. */
  vanish(): void
}

export async function createRawPeer(init: { identify?: boolean } = {}): Promise<RawPeer> {
  const libp2p = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: init.identify === true ? SPEAKING : SILENT,
  })
  let connection: Connection | undefined
  const limit = () => AbortSignal.timeout(OPEN_MS)
  const vanish = () => {
    const { maConn } = (connection ?? {}) as { maConn?: { socket?: unknown } }
    if (maConn?.socket instanceof Socket) maConn.socket.destroy()
  }
  return {
    peerId: libp2p.peerId.toString(),
    async connect(address) {
      connection = await libp2p.dial(multiaddr(address), { signal: limit(), force: true })
    },
    async open(protocol) {
      if (connection === undefined) throw new Error('connect first')
      return await connection.newStream(protocol, { signal: limit(), maxOutboundStreams: 1000 })
    },
    handle: (protocol, handler) => libp2p.handle(protocol, handler),
    async sendRaw(bytes) {
      if (connection?.status !== 'open') throw new Error('the connection has ended')
      const { muxer } = connection as unknown as { muxer: Muxer }
      muxer.onData = () => {}
      const { maConn } = muxer
      if (maConn.send(bytes)) return await new Promise((resolve) => setImmediate(resolve))
      await new Promise<void>((resolve, reject) => {
        maConn.addEventListener('drain', () => resolve(), { once: true })
        maConn.addEventListener('close', () => reject(new Error('the connection was closed')), { once: true })
      })
    },
    get connected() {
      return connection?.status === 'open'
    },
    vanish,
    async [Symbol.asyncDispose]() {
      vanish()
      await libp2p.stop()
    },
  }
}

/** A message with its length before it. */
export function framed(message: Uint8Array): Uint8Array {
  const prefix: number[] = []
  let rest = message.byteLength
  for (; rest >= 0x80; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80)
  prefix.push(rest)
  return Buffer.concat([Uint8Array.from(prefix), message])
}

/** One field of a protobuf message that holds bytes. */
export function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of((number << 3) | 2), framed(bytes)])
}

/** A gossip frame with messages of one topic. */
export function gossipFrame(topic: string, ...messages: Uint8Array[]): Uint8Array {
  const name = new TextEncoder().encode(topic)
  return framed(Buffer.concat(messages.map((data) => field(2, Buffer.concat([field(2, data), field(4, name)])))))
}

/** Waits as long as the other side takes bytes, so that a flood is as fast as it can be and no faster. */
export async function sendFast(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (stream.status !== 'open') throw new Error('the stream has ended')
  if (stream.send(bytes)) return await new Promise((resolve) => setImmediate(resolve))
  await new Promise<void>((resolve, reject) => {
    stream.addEventListener('drain', () => resolve(), { once: true })
    stream.addEventListener('close', () => reject(new Error('the stream was reset')), { once: true })
  })
}
