import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSession, hello } from '../../../../src/execution/gateway/handshake.ts'
import { createMux, MAX_STREAMS, type Mux } from '../../../../src/execution/gateway/mux.ts'
import { talk } from '../../../fixtures/execution/run-fixture.ts'
import { forAll, forAllAsync } from '../../../fixtures/property.ts'

const NAME = Buffer.from('0123456789abcdef')
const OTHER = Buffer.from('fedcba9876543210')
const WINDOW = 256 * 1024

/** Two muxes over a transport that cuts what it carries anywhere. */
function pair(onStream?: (stream: Duplex) => void, cut: (bytes: Buffer) => Buffer[] = (bytes) => [bytes]) {
  const carried = { there: 0, back: 0 }
  const to = (way: 'there' | 'back', other: () => Mux) => (bytes: Uint8Array, done: () => void) => {
    carried[way] += bytes.byteLength
    setImmediate(() => {
      for (const part of cut(Buffer.from(bytes))) other().take(part)
      done()
    })
  }
  const here: Mux = createMux({ first: 1, write: to('there', () => there) })
  const there: Mux = createMux({ first: 2, write: to('back', () => here), ...(onStream ? { onStream } : {}) })
  return { here, there, carried }
}

const echo = (stream: Duplex) => void stream.pipe(stream)

describe('connections over one transport', () => {
  it('carry every byte of each, however the transport cuts them', async () => {
    const texts = fc.array(fc.string({ maxLength: 3000 }), { minLength: 1, maxLength: 6 })
    await forAllAsync(50, [texts, fc.integer({ min: 1, max: 50 })], async (all, size) => {
      const { here, there } = pair(echo, (bytes) =>
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size)),
      )
      expect(await Promise.all(all.map((text) => talk(here.open(), text)))).toEqual(all)
      expect([here.streams, there.streams]).toEqual([0, 0])
    })
  })

  it('carry more than a window', async () => {
    const text = 'abcdefg'.repeat(300_000)
    expect(await talk(pair(echo).here.open(), text)).toBe(text)
  })

  it('have half-close: the answer may come after the question has ended', async () => {
    const { here } = pair((stream) => {
      stream.resume().on('end', () => setTimeout(() => stream.end('late'), 20))
    })
    expect(await talk(here.open(), 'question')).toBe('late')
  })

  it('that are not read stop at their window, and stop no other', async () => {
    const held: Duplex[] = []
    const { here, carried } = pair((stream) => void (held.length === 0 ? held.push(stream) : echo(stream)))
    here.open().write(Buffer.alloc(4 * WINDOW))
    await expect.poll(() => carried.there).toBeGreaterThan(WINDOW)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(carried.there).toBeLessThan(2 * WINDOW)
    expect(here.streams).toBe(1)
    expect(await talk(here.open(), 'still')).toBe('still')
    for (const stream of held) stream.destroy()
  })

  it('end on both sides when one is torn, and when the transport is', async () => {
    const theirs: Duplex[] = []
    const { here, there } = pair((stream) => void theirs.push(stream))
    const [torn, other] = [here.open(), here.open()]
    const closed = new Promise((resolve) => torn.on('close', resolve))
    await new Promise((resolve) => setTimeout(resolve, 10))
    theirs[0]?.destroy()
    await closed
    expect(here.streams).toBe(1)
    const over = new Promise((resolve) => other.on('error', resolve))
    here.close(new Error('the transport is gone'))
    expect(await over).toMatchObject({ message: 'the transport is gone' })
    expect(here.streams).toBe(0)
    there.close(new Error('gone'))
  })

  it('are refused over a number, and never opened by a side that may not', async () => {
    const { here, there } = pair(() => {})
    const many = Array.from({ length: MAX_STREAMS + 1 }, () => here.open())
    await new Promise((resolve) => many.at(-1)?.on('close', resolve))
    expect(there.streams).toBe(MAX_STREAMS)
    const alone = createMux({ first: 1, write: (_bytes, done) => done() })
    expect(() => alone.take(Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 0]))).toThrow(/may not be opened/)
  })

  it('survive no frame that is none, and no flood', () => {
    const mux = () => createMux({ first: 2, write: (_bytes, done) => done(), onStream: () => {} })
    forAll(100, [fc.uint8Array({ maxLength: 200 })], (bytes) => {
      const one = mux()
      try {
        one.take(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
      one.close(new Error('over'))
    })
    const flooded = mux()
    const frame = (kind: number, length: number) => {
      const bytes = Buffer.from([kind, 0, 0, 0, 1, ...Buffer.alloc(4 + length)])
      bytes.writeUInt32BE(length, 5)
      return bytes
    }
    flooded.take(frame(1, 0))
    for (let n = 0; n < 9; n++) flooded.take(frame(2, 32 * 1024))
    expect(flooded.streams).toBe(0)
  })
})

describe('a transport that is taken over', () => {
  /** A gateway that answers the client that is attached. */
  function gateway() {
    let attached: (bytes: Buffer) => void = () => {}
    const to = (take: (bytes: Buffer) => void) => (bytes: Uint8Array, done: () => void) => {
      take(Buffer.from(bytes))
      done()
    }
    const session = createSession({ first: 2, write: to((bytes) => attached(bytes)), onStream: echo })
    const attach = (name: Buffer) => {
      const node = createSession({ first: 1, name, write: to((bytes) => session.take(bytes)) })
      attached = (bytes) => node.take(bytes)
      return node
    }
    return { session, attach }
  }

  it('begins again in the middle of any frame', async () => {
    await forAllAsync(50, [fc.uint8Array({ maxLength: 400 })], async (left) => {
      const { session, attach } = gateway()
      for (const name of [NAME, OTHER]) {
        const node = attach(name)
        session.take(hello(name))
        expect(await talk(node.mux?.open() as Duplex, 'text')).toBe('text')
        // A frame that was begun, of any kind, and whatever else the last client left.
        session.take(Buffer.from([2, 0, 0, 0, 1, 0, 0, 127, 255, ...left]))
      }
    })
  })

  it('receives nothing for an earlier client', () => {
    const { session, attach } = gateway()
    const node = attach(NAME)
    session.take(hello(Buffer.from('another one here')))
    expect(node.mux).toBeUndefined()
    session.take(Buffer.from('1\r\n0\r\n'))
    session.take(hello(NAME))
    expect(node.mux).toBeDefined()
  })

  it('ends what went over it', async () => {
    const { session, attach } = gateway()
    const first = attach(NAME)
    session.take(hello(NAME))
    first.mux?.open().write('x')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const before = session.mux
    expect(before?.streams).toBe(1)
    session.take(hello(OTHER))
    expect(before?.streams).toBe(0)
    expect(session.mux?.streams).toBe(0)
  })
})
