import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createWire, type Wire, type WireEnd } from '../../../src/simulation/network/wire.ts'

const LINK = { latencyMs: 50, bytesPerMs: 10 }
const B = { host: 'b', port: 1 }

const it = test
  .extend('clock', () => manualClock(0))
  .extend('wire', ({ clock }) => createWire(clock, () => LINK))
  .extend('log', (): string[] => [])
  .extend('listen', ({ clock, log }) => (end: WireEnd, name: string) => {
    const say = (what: string) => void log.push(`${name} ${what}@${clock.monotonic()}`)
    end.handlers = {
      onData: (bytes) => say(`${bytes.byteLength} bytes`),
      onClose: () => say('close'),
      onReset: () => say('reset'),
      onDrain: () => say('drain'),
    }
  })
  .extend('pair', ({ clock, wire, listen }) => async (): Promise<[WireEnd, WireEnd]> => {
    const accepted = Promise.withResolvers<WireEnd>()
    wire.listen(B, accepted.resolve)
    const connecting = wire.connect('a', B, { signal: undefined })
    await clock.advance(2 * LINK.latencyMs)
    const ends: [WireEnd, WireEnd] = [await connecting, await accepted.promise]
    listen(ends[0], 'a')
    listen(ends[1], 'b')
    return ends
  })

it('bytes take their latency and the time that they need, and arrive in order', async ({ clock, log, pair }) => {
  const [a, b] = await pair()
  a.send(Buffer.alloc(1000))
  a.send(Buffer.alloc(10))
  b.send(Buffer.alloc(10))
  a.close()
  await clock.advance(1000)
  // 100 ms have passed before
  expect(log).toEqual(['a 10 bytes@151', 'b 1000 bytes@250', 'b 10 bytes@251', 'b close@251'])
})

it('a sender that is too far ahead is told when it may go on', async ({ clock, log, pair }) => {
  const [a] = await pair()
  expect(a.send(Buffer.alloc(600_000))).toBe(true)
  expect(a.send(Buffer.alloc(600_000))).toBe(false)
  await clock.advance(60_100)
  expect(log).toEqual(['b 600000 bytes@60150'])
  await clock.advance(60_000)
  expect(log.slice(1)).toEqual(['b 600000 bytes@120150', 'a drain@120150'])
})

it('a reset loses what is under way, both ways', async ({ clock, log, pair }) => {
  const [a, b] = await pair()
  a.send(Buffer.alloc(10))
  b.send(Buffer.alloc(10))
  a.reset()
  b.send(Buffer.alloc(10))
  await clock.advance(1000)
  expect(log).toEqual(['b reset@150'])
})

it('where nothing listens, a connection is refused after a round trip', async ({ clock, wire }) => {
  const refused = outcomeOf(wire, clock.monotonic)
  await clock.advance(1000)
  expect(await refused).toBe('connect ECONNREFUSED b:1@100')
  const listening = wire.listen(B, () => {})
  expect(() => wire.listen(B, () => {})).toThrow('EADDRINUSE')
  listening[Symbol.dispose]()
  wire.listen(B, () => {})
})

it('a connection that is called off does not come', async ({ clock, wire }) => {
  let accepted = 0
  wire.listen(B, () => accepted++)
  const outcome = outcomeOf(wire, clock.monotonic, AbortSignal.abort(new Error('called off before')))
  const controller = new AbortController()
  const later = outcomeOf(wire, clock.monotonic, controller.signal)
  await clock.advance(10)
  controller.abort(new Error('called off'))
  await clock.advance(1000)
  expect([await outcome, await later, accepted]).toEqual(['called off before@0', 'called off@10', 0])
})

async function outcomeOf(wire: Wire, now: () => number, signal?: AbortSignal): Promise<string> {
  const answer = await wire.connect('a', B, { signal }).then(
    () => 'connected',
    (error: Error) => error.message,
  )
  return `${answer}@${now()}`
}
