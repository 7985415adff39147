import type { MessageStream, StreamMuxer } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { Uint8ArrayList } from 'uint8arraylist'
import { MAX_EARLY_STREAMS } from '../constants.ts'
import type { TransientBuffers } from './transient-buffers.ts'

/** What the library's streams and muxers have and do not declare. */
type YamuxStream = {
  readonly state: number
  readonly protocol: string
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
  abort(error: Error): void
}
type YamuxFrame = { readonly data?: Uint8ArrayList }
type YamuxMuxer = {
  handleFrame(frame: YamuxFrame): void
  _newStream(...args: unknown[]): YamuxStream
  abort(error: Error): void
  onTransportClosed(error?: Error): void
}
/** The state of a stream that both sides know and that is not paused. */
const ESTABLISHED = 3

/**
 * yamux with four changes. A connection ends with its multiplexer: the library keeps one that can open no stream, and a
 * dial of the same peer gets it back. A window update is sent when half of the window is used, as other implementations
 * do it: the library answers every frame with one, which costs both sides nearly as much as a small frame. And a stream
 * whose connection closes while it is opened is aborted: the library sends its first update in a microtask, where an
 * error ends the process. And frames that share what was decrypted at once are taken apart, so that its memory can be given
 * back: without this the collector goes through the whole heap every ten seconds of a transfer.
 */
export function createYamux(
  init: Parameters<typeof yamux>[0],
  buffers: Pick<TransientBuffers, 'detach'>,
  guard: (muxer: StreamMuxer) => void = () => {},
): ReturnType<typeof yamux> {
  const make = yamux({ ...init, maxEarlyStreams: MAX_EARLY_STREAMS })
  return () => {
    const factory = make()
    const create = factory.createStreamMuxer
    factory.createStreamMuxer = (connection) => {
      const muxer = create.call(factory, connection)
      const inner = muxer as unknown as YamuxMuxer
      const open = inner._newStream
      inner._newStream = (...args) => spare(open.apply(inner, args))
      const handle = inner.handleFrame
      inner.handleFrame = (frame) => handle.call(inner, detached(frame, buffers))
      endTogether(inner, connection)
      guard(muxer)
      return muxer
    }
    return factory
  }
}

function detached(frame: YamuxFrame, buffers: Pick<TransientBuffers, 'detach'>): YamuxFrame {
  if (frame.data === undefined) return frame
  return { ...frame, data: Uint8ArrayList.fromUint8Arrays(Array.from(frame.data, buffers.detach)) }
}

function endTogether(muxer: YamuxMuxer, connection: Pick<MessageStream, 'close' | 'abort'>): void {
  const { abort, onTransportClosed } = muxer
  // what is written by then goes out, the reason for the end among it; a connection to a peer that does not read is ended by
  // the next ping of the library's monitor, which cannot open its stream
  const end = () => void connection.close().catch((error: Error) => connection.abort(error))
  muxer.abort = (error) => {
    abort.call(muxer, error)
    end()
  }
  muxer.onTransportClosed = (error) => {
    onTransportClosed.call(muxer, error)
    end()
  }
}

function spare(stream: YamuxStream): YamuxStream {
  const update = stream.sendWindowUpdate
  stream.sendWindowUpdate = () => {
    const enough = stream.state === ESTABLISHED && stream.recvWindowCapacity * 2 > stream.recvWindow
    if (enough) return
    try {
      update.call(stream)
    } catch (error) {
      stream.abort(error as Error)
    }
  }
  return stream
}
