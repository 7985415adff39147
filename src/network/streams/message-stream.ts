import type { Stream } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { encode } from 'uint8-varint'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import type { MessageStream, OpenStreamOptions } from '../../base/stream.ts'
import { COPY_BELOW_BYTES, END_TIMEOUT_MS, SLICE_BYTES, WRITE_AHEAD_BYTES } from '../constants.ts'
import { MessageTooLongError, StreamBrokenError } from '../errors.ts'
import type { TransientBuffers } from '../host/transient-buffers.ts'
import { LengthPrefixedDecoder } from './length-prefixed-decoder.ts'

export type LengthPrefixedStream = MessageStream & {
  /** monotonic ms of the last byte in either direction */
  readonly movedAt: number
  /** Has a whole message been read here? */
  readonly hasRead: boolean
  /** Ends this way, discards what still comes, and leaves the rest to the other side (and to the idle sweep). */
  finish(): Promise<void>
}

/**
 * Messages over a libp2p stream. Facts that shape it:
 * - bytes come as events; a late listener may miss the end, so this listens from its creation;
 * - a paused stream still receives what the sender's window allows (the host keeps that below the read buffer's limit),
 *   and calling `pause` while `resume` hands out that buffer would open the window again: it is called afterwards;
 * - `onDrain()` resolves once in a stream's life: writers wait for the events.
 */
export function messageStream(
  raw: Stream,
  init: {
    clock: Clock
    buffers: TransientBuffers
    peer: string
    maxMessageBytes: number
    allocate?: OpenStreamOptions['allocate']
  },
): LengthPrefixedStream {
  const { clock, buffers, peer, maxMessageBytes } = init
  const received = new LengthPrefixedDecoder(maxMessageBytes, init.allocate, releaseUnshared)
  const waiting = new Set<() => void>()
  /** holds a whole message of the longest kind, so that a paused reader has something to take, and the next one */
  const pauseAt = 2 * (maxMessageBytes + 5)
  let movedAt = clock.monotonic()
  let failure: Error | undefined
  let remoteEnded = raw.status === 'open' && raw.remoteWriteStatus === 'closed'
  let over = raw.readableEnded
  /** Neither side sends any more, for whatever reason: nothing that is waited for will come. */
  let closed = raw.status !== 'open' && raw.status !== 'closing'
  let hasRead = false
  let discarding = false
  let resuming = false
  let ended: Promise<void> | undefined
  /** A long message of which a part is still to be sent: what is written meanwhile comes after it. */
  let sending: Promise<void> | undefined

  const wake = () => {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
  const fail = (error: Error) => {
    failure ??= error
    if (raw.status === 'open' || raw.status === 'closing') raw.abort(failure)
    wake()
  }
  const pauseIfFull = () => {
    if (!resuming && !discarding && received.held >= pauseAt && raw.readStatus === 'readable') raw.pause()
  }
  const resume = () => {
    if (raw.readStatus !== 'paused') return
    resuming = true
    try {
      raw.resume()
    } catch {
      // a connection that closed meanwhile cannot be resumed; what it had buffered has been handed out
    }
    resuming = false
    pauseIfFull()
  }

  raw.addEventListener('message', ({ data }) => {
    movedAt = clock.monotonic()
    if (discarding) return
    for (const piece of data instanceof Uint8Array ? [data] : data) {
      const problem = received.add(piece)
      if (problem === undefined) continue
      discarding = true
      return fail(new MessageTooLongError(problem))
    }
    pauseIfFull()
    // a long message comes in hundreds of pieces: each time that a reader wakes costs memory, and then a collection
    if (received.hasMessage) wake()
  })
  raw.addEventListener('remoteCloseWrite', () => {
    remoteEnded = true
    wake()
  })
  raw.addEventListener('end', () => {
    over = true
    wake()
  })
  const moved = () => {
    movedAt = clock.monotonic()
    wake()
  }
  raw.addEventListener('drain', moved)
  raw.addEventListener('idle', moved)
  raw.addEventListener('close', (event) => {
    closed = true
    if (event.error !== undefined) failure ??= new StreamBrokenError(`the stream was reset: ${messageOf(event.error)}`)
    wake()
  })
  if (raw.status !== 'open') failure = new StreamBrokenError('the connection closed')

  const change = async (signal: AbortSignal | undefined) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    try {
      await raceSignal(promise, signal)
    } finally {
      waiting.delete(resolve)
    }
  }

  const close = async () => {
    using limit = deadline(clock, END_TIMEOUT_MS, new TimeoutError('the other side takes nothing any more'))
    try {
      await raw.close({ signal: limit.signal })
    } catch (error) {
      const broken = new StreamBrokenError(`what was written did not leave: ${messageOf(error)}`, { cause: error })
      fail(broken)
      throw broken
    }
  }
  /**
   * Does anything here still refer to bytes that were written? A connection that needs no drain has taken, and encrypted
   * into buffers of its own, all that this stream has handed on.
   */
  const isHeld = () => raw.writeBufferLength > 0 || raw.writableNeedsDrain
  const send = (bytes: Uint8Array) => {
    try {
      raw.send(bytes)
    } catch (error) {
      failure ??= new StreamBrokenError(`the stream is closed: ${messageOf(error)}`, { cause: error })
      throw failure
    }
  }
  /** In slices, between which other streams have their turn: encrypting a long message at once would keep them all waiting. */
  const sendSlices = async (message: Uint8Array, signal: AbortSignal | undefined) => {
    let offset = 0
    for (; message.byteLength - offset > SLICE_BYTES && signal?.aborted !== true; offset += SLICE_BYTES) {
      send(message.subarray(offset, offset + SLICE_BYTES))
      await clock.nextTurn()
      if (failure !== undefined) throw failure
      if (closed) throw closedBeforeSent()
    }
    // also of a message that nobody waits for any more: the other side has its length
    send(message.subarray(offset))
  }
  const allSent = async () => {
    while (sending !== undefined) await sending
  }
  const stream: LengthPrefixedStream = {
    peer,
    get movedAt() {
      return movedAt
    },
    get hasRead() {
      return hasRead
    },
    async read({ signal } = {}) {
      for (;;) {
        signal?.throwIfAborted()
        let message = received.take()
        // without a whole message here the reader needs more, however much of the next one has come
        if (message === undefined || received.held < pauseAt / 2) resume()
        // resuming hands out at once what had piled up
        message ??= received.take()
        if (message !== undefined) {
          hasRead = true
          return message
        }
        if (failure !== undefined) throw failure
        if (over && raw.readBufferLength === 0) {
          if (!remoteEnded) throw new StreamBrokenError('the connection closed')
          if (received.incomplete) throw new StreamBrokenError('the stream ended in the middle of a message')
          return undefined
        }
        if (closed && raw.readBufferLength === 0) throw new StreamBrokenError('the connection closed')
        await change(signal)
      }
    },
    async write(message, { signal, reuse = false } = {}) {
      signal?.throwIfAborted()
      if (failure !== undefined) throw failure
      if (ended !== undefined) throw new StreamBrokenError('this side has ended the stream')
      while (sending !== undefined) {
        await raceSignal(sending, signal)
        if (failure !== undefined) throw failure
      }
      movedAt = clock.monotonic()
      const prefix = encode(message.byteLength)
      if (message.byteLength <= COPY_BELOW_BYTES) send(joined(prefix, message))
      else {
        send(prefix)
        if (message.byteLength <= SLICE_BYTES) send(message)
        else {
          const all = sendSlices(message, signal)
          sending = all
            .catch(() => {})
            .finally(() => {
              sending = undefined
            })
          await all
        }
      }
      while (reuse ? isHeld() : raw.writeBufferLength > WRITE_AHEAD_BYTES) {
        // a connection that closes without an error leaves the buffer as it is
        if (closed) throw closedBeforeSent()
        await change(signal)
        if (failure !== undefined) throw failure
      }
    },
    end() {
      if (failure !== undefined) return Promise.reject(failure)
      ended ??= sending === undefined ? close() : allSent().then(close)
      return ended
    },
    abort: fail,
    async finish() {
      discarding = true
      received.clear()
      resume()
      await stream.end()
    },
    async [Symbol.asyncDispose]() {
      if (failure !== undefined) return
      const all = over && remoteEnded && received.held === 0
      if (all) await stream.end().catch(() => {})
      else fail(new StreamBrokenError('this side has left the stream'))
    },
  }
  return stream

  /** A piece that is all of its buffer is this stream's alone: of any other, the rest may be another stream's. */
  function releaseUnshared(piece: Uint8Array): void {
    if (piece.byteLength === piece.buffer.byteLength) buffers.release(piece)
  }
}

function closedBeforeSent(): StreamBrokenError {
  return new StreamBrokenError('the connection closed before all that was written had left')
}

function joined(prefix: Uint8Array, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.byteLength + message.byteLength)
  bytes.set(prefix)
  bytes.set(message, prefix.byteLength)
  return bytes
}
