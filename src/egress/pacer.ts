import { Transform } from 'node:stream'
import { type Clock, sleep } from '../base/clock.ts'
import { createTokenBucket } from '../base/token-bucket.ts'

/** Lets so many units a second pass, over all that share it, in the order in which they come; a second's worth at once. */
export interface Pacer {
  /** Resolves when `count` may pass. */
  pass(count: number, signal?: AbortSignal): Promise<void>
  /** A stream through which bytes pass at this pace. */
  stream(): Transform
}

export function createPacer(clock: Clock, perSecond: number): Pacer {
  const bucket = createTokenBucket({ burst: perSecond, perSecond }, () => clock.monotonic())

  async function pass(count: number, signal?: AbortSignal): Promise<void> {
    bucket.spend(count)
    const waitMs = bucket.waitMs()
    if (waitMs > 0) await sleep(clock, waitMs, { signal })
  }

  return {
    pass,
    stream: () =>
      new Transform({
        transform(piece: Buffer, _encoding, done) {
          pass(piece.byteLength).then(() => done(null, piece), done)
        },
      }),
  }
}
