import type { Clock } from '../../base/clock.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { MAX_MUXER_FRAME_BYTES, MUXER_RATES } from '../constants.ts'
import { StreamBrokenError } from '../errors.ts'

/** A header of yamux. */
export type FrameHeader = { readonly type: number; readonly flag: number; readonly length: number }

/** What the library's multiplexer has and does not declare. */
export type RawMuxer = {
  onData(bytes: unknown): void
  handleFrame(frame: { readonly header: FrameHeader }): void
  readonly decoder: { readonly buffer: { readonly byteLength: number } }
}

const DATA = 0
const PING = 2
const SYN = 1
const RST = 8
const HEADER_BYTES = 12

/**
 * Counts the frames of one connection below its streams, where no protocol sees them: streams that are opened, frames that
 * carry nothing, all of them, and how much of one is held until it is whole. Beyond a bound it throws, which ends the
 * connection.
 */
export function guardMuxer(muxer: RawMuxer, clock: Clock, onExcess: (reason: string) => void): void {
  const monotonic = () => clock.monotonic()
  const opened = createTokenBucket(MUXER_RATES.opened, monotonic)
  const empty = createTokenBucket(MUXER_RATES.empty, monotonic)
  const all = createTokenBucket(MUXER_RATES.all, monotonic)
  const { onData, handleFrame } = muxer
  let reason: string | undefined

  const problemOf = ({ type, flag, length }: FrameHeader): string | undefined => {
    if (!all.take()) return 'too many frames'
    if (type === PING || (flag & RST) !== 0 || (type === DATA && length === 0)) {
      return empty.take() ? undefined : 'too many frames that carry nothing'
    }
    return (flag & SYN) !== 0 && !opened.take() ? 'too many streams opened' : undefined
  }
  const stop = (problem: string) => {
    const first = reason === undefined
    reason = problem
    if (first) onExcess(problem)
    throw new StreamBrokenError(problem)
  }

  muxer.handleFrame = (frame) => {
    const problem = reason ?? problemOf(frame.header)
    if (problem !== undefined) stop(problem)
    handleFrame.call(muxer, frame)
  }
  muxer.onData = (bytes) => {
    if (reason !== undefined) return
    onData.call(muxer, bytes)
    if (muxer.decoder.buffer.byteLength > MAX_MUXER_FRAME_BYTES + HEADER_BYTES) stop('a frame is too long')
  }
}
