import { type Clock, sleep } from '../../base/clock.ts'

/** What lies between two machines. */
export type Link = {
  readonly latencyMs: number
  readonly bytesPerMs: number
}

/** One end of a connection. What it sends arrives in order. */
export interface WireEnd {
  /** Takes the bytes over, and answers whether more may follow at once; else `onDrain` is called. */
  send(bytes: Uint8Array): boolean
  /** Nothing more is sent; the other end learns it after what was sent before. */
  close(): void
  /** Ends both directions; what is under way is lost. */
  reset(): void
  handlers: WireHandlers | undefined
}

export type WireHandlers = {
  readonly onData: (bytes: Uint8Array) => void
  readonly onClose: () => void
  readonly onReset: () => void
  readonly onDrain: () => void
}

export type Address = { readonly host: string; readonly port: number }
export type Incoming = (end: WireEnd, from: Address) => void

/** All that the machines of a simulation are connected by. */
export interface Wire {
  /** Throws where the address is taken. */
  listen(address: Address, onConnection: Incoming): Disposable
  /** Resolves after one round trip; rejects where nothing listens. */
  connect(from: string, to: Address, options: { signal?: AbortSignal | undefined }): Promise<WireEnd>
}

/** Bytes of one direction that are sent and have not arrived. */
const WINDOW_BYTES = 1024 * 1024
const FIRST_EPHEMERAL_PORT = 32_768

/** `linkOf`: of two hosts, in both directions. */
export function createWire(clock: Clock, linkOf: (from: string, to: string) => Link): Wire {
  const listeners = new Map<string, Incoming>()
  let port = FIRST_EPHEMERAL_PORT
  const keyOf = ({ host, port }: Address) => `${host}:${port}`

  return {
    listen(address, onConnection) {
      const key = keyOf(address)
      if (listeners.has(key)) throw new Error(`listen EADDRINUSE: address already in use ${key}`)
      listeners.set(key, onConnection)
      return { [Symbol.dispose]: () => void listeners.delete(key) }
    },
    async connect(host, to, { signal }) {
      const link = linkOf(host, to.host)
      await sleep(clock, 2 * link.latencyMs, { signal })
      const onConnection = listeners.get(keyOf(to))
      if (onConnection === undefined) throw new Error(`connect ECONNREFUSED ${keyOf(to)}`)
      const [mine, theirs] = createPair(clock, link)
      onConnection(theirs, { host, port: port++ })
      return mine
    },
  }
}

function createPair(clock: Clock, link: Link): [WireEnd, WireEnd] {
  const pair = { open: true }
  const first = createEnd(clock, link, pair, () => second)
  const second = createEnd(clock, link, pair, () => first)
  return [first, second]
}

function createEnd(
  clock: Clock,
  { latencyMs, bytesPerMs }: Link,
  pair: { open: boolean },
  other: () => WireEnd,
): WireEnd {
  /** when the last bit that was sent has left */
  let leftAt = 0
  let underWay = 0
  let full = false

  /** In order: the last bit of what was sent before arrives first. */
  function arrive(bytes: number, act: (handlers: WireHandlers | undefined) => void): void {
    const now = clock.monotonic()
    leftAt = Math.max(now, leftAt) + bytes / bytesPerMs
    clock.after(Math.ceil(leftAt - now + latencyMs), () => {
      if (pair.open) act(other().handlers)
    })
  }

  const end: WireEnd = {
    handlers: undefined,
    send(bytes) {
      underWay += bytes.byteLength
      arrive(bytes.byteLength, (handlers) => {
        underWay -= bytes.byteLength
        handlers?.onData(bytes)
        if (!full || underWay > WINDOW_BYTES / 2) return
        full = false
        end.handlers?.onDrain()
      })
      full = underWay >= WINDOW_BYTES
      return !full
    },
    close: () => arrive(0, (handlers) => handlers?.onClose()),
    reset() {
      if (!pair.open) return
      pair.open = false
      clock.after(latencyMs, () => other().handlers?.onReset())
    },
  }
  return end
}
