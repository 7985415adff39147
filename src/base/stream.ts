/**
 * One request stream with a peer: length-prefixed messages both ways, with back-pressure both ways.
 * Its opener or receiver disposes it; disposing a stream that has not ended resets it.
 */
export interface MessageStream extends AsyncDisposable {
  /** The other side's peer id, proven by the connection. */
  readonly peer: string
  /** The next message; undefined when the other side has ended. Rejects when the stream was reset or `signal` aborts. */
  read(options?: { signal?: AbortSignal | undefined }): Promise<Uint8Array | undefined>
  /**
   * Resolves when the buffer can take more. The stream may still refer to `message`; with `reuse` it resolves only when
   * nothing does, so that the same bytes can be filled again.
   */
  write(message: Uint8Array, options?: { signal?: AbortSignal | undefined; reuse?: boolean | undefined }): Promise<void>
  /** No more messages from here; reading goes on. */
  end(): Promise<void>
  /** Both ways are over at once. */
  abort(reason: Error): void
}

export type OpenStreamOptions = {
  readonly signal?: AbortSignal | undefined
  /**
   * Where a message of so many bytes is put together; what it returns must be as long and in no other use until the
   * message has been read and done with. For bulk: memory that is used again costs the collector nothing.
   */
  readonly allocate?: ((bytes: number) => Uint8Array) | undefined
}

/** Opens request streams to peers, dialling them if need be. `peer` is a peer id or a multiaddr that ends in /p2p/<id>. */
export interface StreamOpener {
  open(peer: string, protocol: string, options?: OpenStreamOptions): Promise<MessageStream>
}

/** A byte pipe in both directions with half-close: what a tunnel and a gateway hand out. */
export type BytePipe = import('node:stream').Duplex
