import { expect } from 'vitest'
import { readEventStream } from '../../../src/api/client/sse-reader.ts'
import { createEventLog } from '../../../src/api/events/event-log.ts'
import { createEventStream } from '../../../src/api/events/event-stream.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { apiInMemory, nextText, openStream, test } from './harness.ts'

async function openEvents(it: ReturnType<typeof apiInMemory>, path = '/events', headers: Record<string, string> = {}) {
  const reader = await openStream(it.ask(path, { headers }))
  expect(await nextText(reader)).toMatch(/^event: open\ndata: \{"last":"\S+","asOf":\d+\}\n\n$/)
  return reader
}

test('GET /events: tells everything with ids, and a reader that comes back misses nothing', async ({ it }) => {
  const first = await openEvents(it)
  it.node.events.emit('node:policy', { hash: 'one' })
  const text = await nextText(first)
  expect(text).toMatch(/^event: node:policy\nid: \S+\ndata: \{"hash":"one","asOf":\d+\}\n\n$/)
  await first.cancel()
  it.node.events.emit('node:policy', { hash: 'two' })
  const id = /id: (\S+)/.exec(text)?.[1] as string
  const second = await openEvents(it, '/events', { 'last-event-id': id })
  expect(await nextText(second)).toContain('"two"')
  const stranger = await openEvents(it, '/events', { 'last-event-id': 'other-0' })
  const gap = await nextText(stranger)
  expect(gap).toMatch(/^event: gap\nid: \S+\ndata: .*"reason"/)
  it.node.events.emit('node:policy', { hash: 'three' })
  expect(await nextText(stranger)).toContain('"three"')
  // the gap's own id is one to come back with
  const again = await openEvents(it, '/events', { 'last-event-id': /id: (\S+)/.exec(gap)?.[1] as string })
  expect(await nextText(again)).toContain('"three"')
})

test('GET /events: only what was asked for', async ({ it }) => {
  const reader = await openEvents(it, '/events?only=node:policy,runner:')
  it.node.events.emit('node:policy-refused', { reason: 'y' })
  it.node.events.emit('runner:failed', { service: 's', kind: 'hung' as never, message: 'm' })
  it.node.events.emit('node:policy', { hash: 'h' })
  expect(await nextText(reader)).toContain('event: runner:failed')
  expect(await nextText(reader)).toContain('event: node:policy')
})

test('GET /events: a silent stream shows that it lives', async ({ it }) => {
  const reader = await openEvents(it)
  await it.clock.advance(15_000)
  expect(await nextText(reader)).toBe(':\n\n')
})

test('GET /events: text with line ends stays one event', async ({ it }) => {
  const reader = await openEvents(it)
  it.node.events.emit('node:policy-refused', { reason: 'a\n\nevent: fake\ndata: {}\r\n' })
  expect((await nextText(reader)).split('\n')).toHaveLength(5)
})

test('GET /events: ends with the API, and asking with HEAD opens nothing', async () => {
  const it = apiInMemory()
  const head = await it.ask('/events', { method: 'HEAD' })
  expect([head.status, head.body]).toEqual([200, null])
  const reader = await openEvents(it)
  it.api[Symbol.dispose]()
  expect(await nextText(reader)).toBe('<end>')
})

test('a reader that does not read: is let go when more waits than is allowed, and costs no more', () => {
  let cuts = 0
  const destroyConnection = () => cuts++
  const stream = createEventStream({ clock: manualClock(), heartbeatMs: 1000, maxBufferBytes: 1000, destroyConnection })
  let taken = 0
  while (stream.push({ event: 'x', data: 'y'.repeat(80) })) taken++
  expect([taken, cuts, stream.signal.aborted]).toEqual([10, 1, true])
  expect(stream.push({ event: 'x', data: 1 })).toBe(false)
  expect(cuts).toBe(1)
})

test('a reader that does not read: holds up a log instead of filling memory', async ({ it }) => {
  await it.receive()
  let given = 0
  it.node.logs = async function* () {
    for (;;) {
      given++
      yield { stream: 'out', at: 0, line: 'x'.repeat(10_000) }
    }
  }
  const response = await it.ask('/service/hello/logs')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await it.clock.advance(100)
  const before = given
  await it.clock.advance(100)
  expect(given).toBe(before)
  expect(given).toBeLessThan(100)
  for (let count = 0; count < before; count++) await nextText(reader)
  await it.clock.advance(100)
  expect(given).toBeGreaterThan(before)
  await reader.cancel()
})

test('GET /service/:id/logs: gives the tail and ends', async ({ it }) => {
  await it.receive()
  for (const line of ['one', 'two', 'three']) it.node.addLine(line)
  const text = await (await it.ask('/service/hello/logs?tail=2')).text()
  expect(text.match(/^event: .*$/gm)).toEqual(['event: log', 'event: log', 'event: end'])
  expect(text).toContain('"two"')
  expect(text).not.toContain('"one"')
})

test("GET /service/:id/logs: follows, and stops the node's work when the reader leaves", async ({ it }) => {
  await it.receive()
  let signal: AbortSignal | undefined
  const real = it.node.logs
  it.node.logs = (id, options) => {
    signal = options.signal
    return real(id, options)
  }
  const reader = await openStream(it.ask('/service/hello/logs?follow=true'))
  it.node.addLine('later')
  expect(await nextText(reader)).toContain('"later"')
  await reader.cancel()
  expect(signal?.aborted).toBe(true)
})

test('GET /service/:id/logs: tells in the stream what went wrong in the middle', async ({ it }) => {
  await it.receive()
  it.node.logs = async function* () {
    yield { stream: 'out', at: 0, line: 'first' }
    throw new Error('the disk is gone')
  }
  const text = await (await it.ask('/service/hello/logs')).text()
  expect(text).toContain('"first"')
  expect(text).toMatch(/event: error\ndata: .*"status":500,"detail":"the disk is gone","code":"internal"/)
})

test.for(['tail=-1', 'tail=x', 'tail=10001', 'follow=maybe'])(
  'GET /service/:id/logs: refuses %s',
  async (query, { it }) => {
    await it.receive()
    expect((await it.ask(`/service/hello/logs?${query}`)).status).toBe(400)
  },
)

test('GET /service/:id/logs: is a 404 where there is no such service', async ({ it }) => {
  expect((await it.ask('/service/nothing/logs?follow=true')).status).toBe(404)
})

test('what is remembered of events is bounded', () => {
  const events = createEvents<{ tick: number }>()
  using log = createEventLog(events, { epoch: 'e', memory: 100, asOf: () => 0 })
  for (let count = 0; count < 10_000; count++) events.emit('tick', count)
  expect(log.after('e-0')).toBeUndefined()
  expect(log.after('e-10001')).toBeUndefined()
  expect(log.after(log.last())).toEqual([])
  const newest = Array.from({ length: 50 }, (_, index) => 9950 + index)
  expect(log.after('e-9950')?.map(({ detail }) => detail)).toEqual(newest)
})

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const EVENTS = [
  { event: 'a', data: 'é\n2', id: '7' },
  { event: 'message', data: 'x', id: undefined },
]

test.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
])('events whose lines end with %s come as they are, in pieces of any size', async (_, end) => {
  const text = [': a comment', 'id: 7', 'event: a', 'data: é', 'data:2', '', 'data: x', '', ''].join(end)
  for (const size of [1, 2, 3, 1000]) {
    expect(await Array.fromAsync(readEventStream(inPieces(text, size)))).toEqual(EVENTS)
  }
})

test('an event without end is given up', async () => {
  const endless = (async function* () {
    for (;;) yield Buffer.from(`data: ${'x'.repeat(100_000)}\n`)
  })()
  await expect(Array.fromAsync(readEventStream(endless))).rejects.toThrow('too long')
})
