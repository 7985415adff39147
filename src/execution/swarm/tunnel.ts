import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { TRANSPORT_PING_MS } from '../constants.ts'
import { createMux, type Mux } from '../gateway/mux.ts'
import { TLS_OPTIONS } from './launcher/settings.ts'

/** A launcher that is there answers in milliseconds. */
const HANDSHAKE_MS = 10_000

/** The node's connections to the engine of one machine, through the launcher of one task. */
export type Tunnel = {
  /** What a client of the engine connects with. */
  readonly agent: Agent
  /** Throws an UnavailableError where the launcher cannot be reached. */
  open(): Promise<Duplex>
  close(): void
}

export type TunnelInit = {
  readonly clock: Clock
  /** a new connection to the launcher's service */
  carrier(): Promise<Duplex>
  readonly key: Buffer
  /** the only task that is spoken with */
  readonly task: string
}

/** Made again with the next connection when it was lost. */
export function createTunnel(init: TunnelInit): Tunnel {
  let current: Promise<Session> | undefined
  let closed = false

  async function session(): Promise<Session> {
    const known = current
    const made = await known?.catch(() => undefined)
    if (made !== undefined && !made.closed) return made
    if (current !== known) return session()
    if (closed) throw new UnavailableError('the run was removed')
    const fresh = begin(init)
    current = fresh
    fresh.catch(() => {
      if (current === fresh) current = undefined
    })
    return fresh
  }

  const open = async () => (await session()).mux.open()
  return {
    agent: new TunnelAgent(open),
    open,
    close() {
      closed = true
      current?.then(
        (made) => made.close(),
        () => {},
      )
      current = undefined
    },
  }
}

class TunnelAgent extends Agent {
  readonly #open: () => Promise<Duplex>

  constructor(open: () => Promise<Duplex>) {
    super()
    this.#open = open
  }

  override createConnection(_options: unknown, done: (error: Error | null, stream: Duplex) => void): undefined {
    this.#open().then(
      (stream) => done(null, stream),
      (error: Error) => (done as (error: Error) => void)(error),
    )
  }
}

type Session = { readonly mux: Mux; readonly closed: boolean; close(): void }

async function begin({ clock, carrier, key, task }: TunnelInit): Promise<Session> {
  const socket = await handshake(clock, await carrier(), { psk: key, identity: task })
  const mux = createMux({ first: 1, write: (bytes, done) => void socket.write(bytes, done) })
  let answered = true
  const pings = clock.every(TRANSPORT_PING_MS, () => {
    if (!answered) return void socket.destroy()
    answered = false
    mux.ping()
  })
  socket.on('close', () => {
    pings.cancel()
    mux.close(new UnavailableError('the connection to the launcher of the run was lost'))
  })
  socket.on('data', (bytes: Buffer) => {
    answered = true
    try {
      mux.take(bytes)
    } catch {
      socket.destroy()
    }
  })
  return {
    mux,
    get closed() {
      return socket.destroyed
    },
    close: () => void socket.destroy(),
  }
}

/** Both sides show that they have the key, or there is no connection. */
function handshake(clock: Clock, carrier: Duplex, psk: { psk: Buffer; identity: string }): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // there is no certificate whose name could be compared
    const options = { ...TLS_OPTIONS, pskCallback: () => psk, checkServerIdentity: () => undefined }
    const socket = connect({ socket: carrier, ...options })
    const fail = (why: string) => {
      late.cancel()
      reject(new UnavailableError(`the launcher of the run cannot be spoken with: ${why}`))
      socket.destroy()
      carrier.destroy()
    }
    const late = clock.after(HANDSHAKE_MS, () => fail('it does not answer in time'))
    carrier.once('close', () => {
      if (!socket.destroyed) socket.destroy()
    })
    socket
      .on('error', (error) => fail(messageOf(error)))
      .once('close', () => {
        carrier.destroy()
        fail('it closed the connection')
      })
      .once('secureConnect', () => {
        late.cancel()
        resolve(socket)
      })
  })
}
