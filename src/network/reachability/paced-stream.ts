import type { Stream } from '@libp2p/interface'
import type { Clock, Timer } from '../../base/clock.ts'
import type { TokenBucket } from '../../base/token-bucket.ts'

/** What a yamux stream of the library has and does not declare. */
export type WindowedStream = Pick<Stream, 'status' | 'addEventListener'> & {
  readonly recvWindow: number
  maxStreamWindowSize: number
  onData(data: { readonly byteLength: number }): void
  sendWindowUpdate(): void
}

/**
 * The other side of the stream sends at the rate of the bucket, which others may share: it gets no more credit while bytes are owed. So nothing piles up
 * here, beyond one window. The window stays as large as it is.
 */
export function paceStream(
  stream: WindowedStream,
  bucket: Pick<TokenBucket, 'spend' | 'waitMs'>,
  clock: Pick<Clock, 'after'>,
): void {
  const { onData, sendWindowUpdate } = stream
  let waiting: Timer | undefined
  const update = () => {
    const waitMs = Math.ceil(bucket.waitMs())
    if (waitMs === 0) return sendWindowUpdate.call(stream)
    waiting ??= clock.after(waitMs, () => {
      waiting = undefined
      if (stream.status === 'open') update()
    })
  }
  stream.maxStreamWindowSize = stream.recvWindow
  stream.onData = (data) => {
    bucket.spend(data.byteLength)
    onData.call(stream, data)
  }
  stream.sendWindowUpdate = update
  stream.addEventListener('close', () => waiting?.cancel())
}
