import type { StreamMuxer } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'

/** What the library's streams and muxers have and do not declare. */
type YamuxStream = {
  readonly state: number
  readonly protocol: string
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}
type YamuxMuxer = { _newStream(...args: unknown[]): YamuxStream }
/** The state of a stream that both sides know and that is not paused. */
const ESTABLISHED = 3

/**
 * yamux that tells of room again when half of the window is used, as other implementations do. The library answers every
 * frame with a window update, which costs both sides nearly as much as a small frame does.
 */
export function sparingYamux(
  init: Parameters<typeof yamux>[0],
  guard: (muxer: StreamMuxer) => void = () => {},
): ReturnType<typeof yamux> {
  const make = yamux(init)
  return () => {
    const factory = make()
    const create = factory.createStreamMuxer
    factory.createStreamMuxer = (connection) => {
      const muxer = create.call(factory, connection)
      const inner = muxer as unknown as YamuxMuxer
      const open = inner._newStream
      inner._newStream = (...args) => spare(open.apply(inner, args))
      guard(muxer)
      return muxer
    }
    return factory
  }
}

function spare(stream: YamuxStream): YamuxStream {
  const update = stream.sendWindowUpdate
  stream.sendWindowUpdate = () => {
    const enough = stream.state === ESTABLISHED && stream.recvWindowCapacity * 2 > stream.recvWindow
    if (!enough) update.call(stream)
  }
  return stream
}
