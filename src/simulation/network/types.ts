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
  /** Neither reset nor closed from both sides. */
  readonly open: boolean
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
  /** Resolves after one round trip; rejects where nothing listens. Where a cut is between, it tries until the signal aborts. */
  connect(from: string, to: Address, options: { signal?: AbortSignal | undefined }): Promise<WireEnd>
  /** These hosts reach only one another. Connections to others stay open and are silent; what is sent is retransmitted after `heal`, as TCP does. */
  cut(hosts: readonly string[]): void
  /** These, or all, reach everybody again. */
  heal(hosts?: readonly string[]): void
}

export type WireInit = {
  /** of two hosts, in both directions */
  readonly linkOf: (from: string, to: string) => Link
  /** What chance adds to the way of one message; default: nothing. Later messages of a connection wait for it. */
  readonly delayMs?: (() => number) | undefined
}
