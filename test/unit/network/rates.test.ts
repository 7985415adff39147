import type { Connection, Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { SYNC_PROTOCOL } from '../../../protocols/streams/sync.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createRates } from '../../../src/network/limits/rates.ts'
import { limitsOf } from '../../../src/network/limits/table.ts'

/** Streams as the library opens them, through what is counted. */
function counting() {
  const clock = manualClock()
  const excesses: string[] = []
  const rates = createRates({ clock, onExcess: ({ peer, reason }) => void excesses.push(`${peer}: ${reason}`) })
  const registrar: Parameters<typeof rates.guard>[0] = { getMiddleware: () => [] }
  rates.guard(registrar)
  const open = (peer: string, protocol = SYNC_PROTOCOL) => {
    const seen = { reset: false, cut: false, bytes: 0 }
    const raw = {
      ...{ protocol, direction: 'inbound', readBuffer: [] },
      onData: (data: Uint8Array) => void Object.assign(seen, { bytes: seen.bytes + data.byteLength }),
      abort: () => void Object.assign(seen, { reset: true }),
    }
    const abort = () => void Object.assign(seen, { cut: true })
    const connection = { remotePeer: { toString: () => peer }, abort } as unknown as Connection
    try {
      registrar.getMiddleware(protocol)[0]?.(raw as unknown as Stream, connection, () => undefined)
    } catch {
      // the library would reset the stream for it
    }
    return Object.assign(seen, { send: (bytes: Uint8Array) => raw.onData(bytes) })
  }
  return { clock, excesses, open }
}

const { frames = { burst: 0, perSecond: 0 }, bytes } = limitsOf(SYNC_PROTOCOL, 'inbound')
const EMPTY = Uint8Array.of(0)

test('too many frames cost the stream, and within a minute the connection; a new connection has no fresh share', async () => {
  const { clock, excesses, open } = counting()
  const first = open('peer')
  for (let count = 1; count < frames.burst; count++) first.send(EMPTY)
  expect(first.reset).toBe(false)
  first.send(EMPTY)
  expect([first.reset, first.cut, first.bytes]).toEqual([true, false, frames.burst - 1])
  const second = open('peer')
  expect([second.reset, second.cut]).toEqual([true, true])
  expect(excesses).toEqual(['peer: too many frames', 'peer: too many streams'])
  expect(open('another').reset).toBe(false)
  // two minutes later the share is there again, and the first excess is forgotten
  await clock.advance(120_000)
  const third = open('peer')
  for (let count = 0; count < frames.burst; count++) third.send(EMPTY)
  expect([third.reset, third.cut]).toEqual([true, false])
})

test('bytes are counted over all streams of a peer, a frame by the length that it says', () => {
  const { excesses, open } = counting()
  const burst = typeof bytes === 'object' ? bytes.burst : 0
  // frames of 16 KiB with their prefixes
  const piece = Uint8Array.from([0x80, 0x80, 0x01, ...new Uint8Array(16 * 1024)])
  const streams = [open('peer'), open('peer')]
  let sent = 0
  for (let at = 0; sent + piece.byteLength <= burst; at++) {
    streams[at % 2]?.send(piece)
    sent += piece.byteLength
  }
  expect(streams.map(({ reset }) => reset)).toEqual([false, false])
  streams[0]?.send(piece)
  expect(streams.map(({ reset }) => reset)).toEqual([true, false])
  const long = open('long')
  long.send(Uint8Array.of(0x80, 0x80, 0x10))
  expect(long.reset).toBe(true)
  expect(excesses).toEqual(['peer: too many bytes', 'long: a frame is too long'])
})
