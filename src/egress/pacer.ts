import { Transform } from 'node:stream'
import { type Clock, sleep } from '../base/clock.ts'

/** What may pass at once before the rest waits: a second's worth. */
const BURST_MS = 1000

/** Lets so many units a second pass, over all that share it, in the order in which they come. */
export interface Pacer {
  /** Resolves when `count` may pass. */
  pass(count: number, signal?: AbortSignal): Promise<void>
  /** A stream through which bytes pass at this pace. */
  stream(): Transform
}

export function createPacer(clock: Clock, perSecond: number): Pacer {
  /** when all that has passed would have passed at an even pace, in ms */
  let paidUntil = clock.monotonic()

  async function pass(count: number, signal?: AbortSignal): Promise<void> {
    const now = clock.monotonic()
    paidUntil = Math.max(paidUntil, now) + (count / perSecond) * 1000
    const waitMs = paidUntil - now - BURST_MS
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
