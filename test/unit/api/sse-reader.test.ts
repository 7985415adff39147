import { expect, test } from 'vitest'
import { readEventStream } from '../../../src/api/client/sse-reader.ts'

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
