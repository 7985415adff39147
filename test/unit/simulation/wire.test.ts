import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createNetworkInterface } from '../../../src/simulation/network/interface.ts'
import type { Wire, WireEnd } from '../../../src/simulation/network/types.ts'
import { createWire } from '../../../src/simulation/network/wire.ts'

/** A process that ends at no crash point. */
const LASTING = { pass() {}, survives: () => true }

const LINK = { latencyMs: 50, bytesPerMs: 10 }
const B = { host: 'b', port: 1 }

const it = test
  .extend('clock', () => manualClock(0))
  .extend('wire', ({ clock }) => createWire(clock, { linkOf: () => LINK }))
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

it('a cut holds back what is sent until TCP sends it again after the cut, in order', async ({
  clock,
  wire,
  log,
  pair,
}) => {
  const [a, b] = await pair()
  // 100 ms have passed before; at 150 ms it would have arrived
  a.send(Buffer.alloc(10))
  await clock.advance(10)
  wire.cut(['a'])
  await clock.advance(990)
  a.send(Buffer.alloc(20))
  b.close()
  await clock.advance(100)
  expect(log).toEqual([])
  wire.heal(['a'])
  await clock.advance(10_000)
  // it is sent again after 0.2 s, 0.4 s, 0.8 s: the third time, 1.4 s after the first, there is no cut
  expect(log.map((line) => line.split('@')[0])).toEqual(['b 10 bytes', 'a close', 'b 20 bytes'])
  expect(log[0]).toBe('b 10 bytes@1601')
})

it('who is cut off is asked for a connection again and again', async ({ clock, wire }) => {
  wire.listen(B, () => {})
  wire.cut(['b'])
  const outcome = outcomeOf(wire, clock.monotonic)
  await clock.advance(2000)
  wire.heal()
  await clock.advance(10_000)
  // after a round trip, then 1 s and 2 s later
  expect(await outcome).toBe('connected@3100')
})

it('hosts that are cut off together reach one another', async ({ clock, wire, log, pair }) => {
  const [a] = await pair()
  wire.cut(['a', 'b'])
  a.send(Buffer.alloc(10))
  await clock.advance(1000)
  expect(log).toEqual(['b 10 bytes@151'])
})

it('a process that is gone has no connections, listens no more, and reaches nobody', async ({
  clock,
  wire,
  listen,
  log,
}) => {
  const gone = createNetworkInterface(wire, 'b', LASTING)
  const accepted = Promise.withResolvers<WireEnd>()
  gone.listen(B, accepted.resolve)
  const connecting = wire.connect('a', B, {})
  await clock.advance(100)
  const ends = [await connecting, await accepted.promise] as const
  listen(ends[0], 'a')
  listen(ends[1], 'b')
  const underWay = gone.connect({ host: 'a', port: 1 }, {})
  wire.listen({ host: 'a', port: 1 }, () => {})
  underWay.catch(() => {})
  gone.down()
  ends[1].send(Buffer.alloc(10))
  await clock.advance(1000)
  expect(log).toEqual(['b reset@100', 'a reset@150'])
  await expect(underWay).rejects.toThrow('ENETDOWN')
  await expect(gone.connect({ host: 'a', port: 1 }, {})).rejects.toThrow('ENETDOWN')
  expect(await outcomeAfter(wire, clock)).toContain('ECONNREFUSED')
  // its successor can listen there
  createNetworkInterface(wire, 'b', LASTING).listen(B, () => {})
})

async function outcomeAfter(wire: Wire, clock: { advance(ms: number): Promise<void>; monotonic(): number }) {
  const outcome = outcomeOf(wire, clock.monotonic)
  await clock.advance(1000)
  return await outcome
}
