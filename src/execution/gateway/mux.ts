import { Duplex } from 'node:stream'

/**
 * Many connections over one transport, for a gateway that has no socket. A frame is a byte for its kind, the connection's
 * number and the payload's length (both 32 bits, big endian), and the payload. Each side may send WINDOW bytes of a
 * connection before the other grants more credit, so that one that is not read stops no other. It runs
 * inside a run's network, too, and imports nothing of ours.
 */
const OPEN = 1
const DATA = 2
const END = 3
const RESET = 4
const CREDIT = 5
const PING = 6
const PONG = 7

const HEADER_BYTES = 9
/** What one connection sends before the next has its turn. */
const MAX_PAYLOAD = 32 * 1024
/** No frame is longer; so many zeros end any frame that was begun, and are none. */
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD
/** 5 MB/s over 50 ms; times MAX_STREAMS it fits in a gateway's memory. */
const WINDOW = 256 * 1024
export const MAX_STREAMS = 256

export type MuxInit = {
  /** Calls back when the transport takes more. */
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void
  /** The first number that this side gives: 1 or 2. */
  first: 1 | 2
  /** The other side has opened a connection. Without it, none may be. */
  onStream?: (stream: Duplex) => void
}

export type Mux = {
  /** What the transport has received. Throws when these are not frames; what follows cannot be read then. */
  take(bytes: Buffer): void
  open(): Duplex
  /** Makes the other side answer. */
  ping(): void
  readonly streams: number
  /** What was received and is not, or cannot be, read. */
  unread(): Buffer
  /** Ends every connection; `error` is what their users see. */
  close(error: Error): void
}

type Stream = {
  duplex: Duplex
  data(bytes: Buffer): void
  end(): void
  reset(error: Error): void
  credit(n: number): void
}

export function createMux({ write, first, onStream }: MuxInit): Mux {
  const streams = new Map<number, Stream>()
  let next: number = first
  let rest: Buffer = Buffer.alloc(0)
  let closed = false

  function send(kind: number, id: number, payload?: Uint8Array, done: (error?: Error | null) => void = () => {}): void {
    if (closed) {
      done(new Error('the transport is closed'))
      return
    }
    const frame = Buffer.allocUnsafe(HEADER_BYTES + (payload?.byteLength ?? 0))
    frame[0] = kind
    frame.writeUInt32BE(id, 1)
    frame.writeUInt32BE(payload?.byteLength ?? 0, 5)
    if (payload !== undefined) frame.set(payload, HEADER_BYTES)
    write(frame, done)
  }

  function make(id: number): Stream {
    const stream = createStream(
      (kind, payload, done) => send(kind, id, payload, done),
      () => streams.delete(id),
    )
    streams.set(id, stream)
    return stream
  }

  function open(id: number): void {
    const expected = id % 2 !== first % 2 && !streams.has(id)
    if (!expected || onStream === undefined) throw new Error(`connection ${id} may not be opened`)
    if (streams.size >= MAX_STREAMS) send(RESET, id)
    else onStream(make(id).duplex)
  }

  function frame(kind: number, id: number, payload: Buffer): void {
    // Frames still under way when a connection is reset are dropped.
    const stream = streams.get(id)
    if (kind === OPEN) open(id)
    else if (kind === PING) send(PONG, 0)
    else if (kind === DATA) stream?.data(payload)
    else if (kind === END) stream?.end()
    else if (kind === RESET) stream?.reset(new Error('the connection was reset'))
    else if (kind === CREDIT && payload.byteLength === 4) stream?.credit(payload.readUInt32BE(0))
    else if (kind !== PONG) throw new Error(`${kind} is no kind of frame`)
  }

  return {
    take(bytes) {
      rest = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
      while (rest.byteLength >= HEADER_BYTES && !closed) {
        const kind = rest[0] as number
        const length = rest.readUInt32BE(5)
        if (kind < OPEN || kind > PONG || length > MAX_PAYLOAD) throw new Error('that is no frame')
        if (rest.byteLength < HEADER_BYTES + length) return
        const payload = rest.subarray(HEADER_BYTES, HEADER_BYTES + length)
        const id = rest.readUInt32BE(1)
        rest = rest.subarray(HEADER_BYTES + length)
        frame(kind, id, payload)
      }
    },
    open() {
      const id = next
      next += 2
      const stream = make(id)
      send(OPEN, id)
      return stream.duplex
    },
    ping: () => send(PING, 0),
    unread: () => rest,
    get streams() {
      return streams.size
    },
    close(error) {
      if (closed) return
      closed = true
      for (const stream of streams.values()) stream.reset(error)
      streams.clear()
    },
  }
}

type Send = (kind: number, payload?: Uint8Array, done?: (error?: Error | null) => void) => void

/** One connection, with half-close as a socket has it. */
function createStream(send: Send, onGone: () => void): Stream {
  /** what may still be sent, what may still come, and what was read since the last credit */
  let maySend = WINDOW
  let mayCome = WINDOW
  let owed = 0
  let flowing = true
  const arrived: (Buffer | null)[] = []
  let waiting: { chunk: Buffer; done: (error?: Error | null) => void } | undefined
  const ended = { here: false, there: false }

  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      flowing = true
      deliver()
    },
    write(chunk: Buffer, _encoding, done) {
      waiting = { chunk, done }
      pump()
    },
    final(done) {
      ended.here = true
      send(END, undefined, done)
    },
    destroy(error, done) {
      if (!ended.here || !ended.there) send(RESET)
      ended.here = ended.there = true
      waiting = undefined
      arrived.length = 0
      onGone()
      done(error)
    },
  })
  // Its user may come later than its end.
  duplex.on('error', () => {})

  function pump(): void {
    if (waiting === undefined || maySend === 0) return
    const { chunk, done } = waiting
    const part = chunk.subarray(0, Math.min(maySend, MAX_PAYLOAD))
    const more = chunk.subarray(part.byteLength)
    waiting = undefined
    maySend -= part.byteLength
    send(DATA, part, (error) => {
      if (error || more.byteLength === 0 || duplex.destroyed) return done(error)
      waiting = { chunk: more, done }
      pump()
    })
  }

  function deliver(): void {
    while (flowing && arrived.length > 0) {
      const chunk = arrived.shift() as Buffer | null
      flowing = duplex.push(chunk)
      owed += chunk?.byteLength ?? 0
    }
    // credit in halves of the window: seldom enough to cost nothing, early enough not to let the sender wait
    if (owed < WINDOW / 2 || ended.there) return
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(owed)
    mayCome += owed
    owed = 0
    send(CREDIT, payload)
  }

  function reset(error: Error): void {
    ended.here = ended.there = true
    duplex.destroy(error)
  }

  return {
    duplex,
    data(bytes) {
      mayCome -= bytes.byteLength
      if (mayCome < 0 || ended.there) return void duplex.destroy(new Error('more came than the window allows'))
      // The transport's buffer is larger than the piece of it that would keep it.
      arrived.push(Buffer.from(bytes))
      deliver()
    },
    end() {
      if (ended.there) return
      ended.there = true
      arrived.push(null)
      deliver()
    },
    reset,
    credit(n) {
      maySend += n
      pump()
    },
  }
}
