import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createTokenBucket } from '../../../../src/base/token-bucket.ts'
import { paceStream, type WindowedStream } from '../../../../src/network/reachability/paced-stream.ts'

const WINDOW = 1000

const bucketOf = (clock: ReturnType<typeof manualClock>, perSecond: number) =>
  createTokenBucket({ burst: perSecond, perSecond }, () => clock.monotonic())

/** A stream whose other side sends a whole window whenever it has credit. */
function greedy(bucket: ReturnType<typeof bucketOf>, clock: ReturnType<typeof manualClock>) {
  const seen = { bytes: 0, status: 'open', closed: [] as (() => void)[] }
  let credit = WINDOW
  const stream = {
    get status() {
      return seen.status
    },
    recvWindow: WINDOW,
    maxStreamWindowSize: 1_000_000,
    addEventListener: (_: string, listener: () => void) => void seen.closed.push(listener),
    onData: ({ byteLength }: { byteLength: number }) => void Object.assign(seen, { bytes: seen.bytes + byteLength }),
    sendWindowUpdate: () => {
      credit = WINDOW
      queueMicrotask(send)
    },
  }
  paceStream(stream as unknown as WindowedStream, bucket, clock)
  function send() {
    if (credit === 0 || seen.status !== 'open') return
    credit = 0
    stream.onData({ byteLength: WINDOW })
    stream.sendWindowUpdate()
  }
  return { seen, stream, send }
}

test('all streams together bring no more than the rate, beyond one second of it and a window each', async () => {
  const clock = manualClock()
  const bucket = bucketOf(clock, 10 * WINDOW)
  const streams = [greedy(bucket, clock), greedy(bucket, clock)]
  for (const { send } of streams) send()
  await clock.advance(0)
  for (let step = 0; step < 600; step++) await clock.advance(100)
  const all = streams.reduce((sum, { seen }) => sum + seen.bytes, 0)
  expect(all).toBeLessThanOrEqual((60 + 1) * 10 * WINDOW + 2 * WINDOW)
  // and no less than most of it
  expect(all).toBeGreaterThan(50 * 10 * WINDOW)
  for (const { seen } of streams) expect(seen.bytes).toBeGreaterThan(0)
})

test('the window does not grow, and a stream that has ended is given no more credit', async () => {
  const clock = manualClock()
  const bucket = bucketOf(clock, WINDOW)
  const { seen, stream, send } = greedy(bucket, clock)
  expect(stream.maxStreamWindowSize).toBe(WINDOW)
  send()
  await clock.advance(0)
  const before = seen.bytes
  seen.status = 'closed'
  for (const listener of seen.closed) listener()
  await clock.advance(60_000)
  expect(seen.bytes).toBe(before)
})
