import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSession, hello } from '../../../../src/execution/gateway/handshake.ts'
import { createMux, MAX_STREAMS, type Mux } from '../../../../src/execution/gateway/mux.ts'
import { talk } from '../../../fixtures/execution/run-fixture.ts'

const NAME = Buffer.from('0123456789abcdef')
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
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 50 }), async (all, size) => {
        const { here, there } = pair(echo, (bytes) =>
          Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size)),
        )
        expect(await Promise.all(all.map((text) => talk(here.open(), text)))).toEqual(all)
        expect([here.streams, there.streams]).toEqual([0, 0])
      }),
      { numRuns: 50 },
    )
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
    let first = true
    const { here, carried } = pair((stream) => {
      if (first) held.push(stream)
      else echo(stream)
      first = false
    })
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

  it('are refused over a number, and never opened by who may not', async () => {
    const { here, there } = pair(() => {})
    const many = Array.from({ length: MAX_STREAMS + 1 }, () => here.open())
    await new Promise((resolve) => many.at(-1)?.on('close', resolve))
    expect(there.streams).toBe(MAX_STREAMS)
    const alone = createMux({ first: 1, write: (_bytes, done) => done() })
    expect(() => alone.take(Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 0]))).toThrow(/may not be opened/)
  })

  it('survive no frame that is none, and no flood', () => {
    const mux = () => createMux({ first: 2, write: (_bytes, done) => done(), onStream: () => {} })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const one = mux()
        try {
          one.take(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        one.close(new Error('over'))
      }),
    )
    const flooded = mux()
    const frame = (kind: number, length: number) => {
      const bytes = Buffer.alloc(9 + length)
      bytes[0] = kind
      bytes.writeUInt32BE(1, 1)
      bytes.writeUInt32BE(length, 5)
      return bytes
    }
    flooded.take(frame(1, 0))
    for (let n = 0; n < 9; n++) flooded.take(frame(2, 32 * 1024))
    expect(flooded.streams).toBe(0)
  })
})

describe('a transport that is taken over', () => {
  /** A door that answers whoever is attached. */
  function door() {
    let attached: (bytes: Buffer) => void = () => {}
    const session = createSession({
      first: 2,
      write(bytes, done) {
        attached(Buffer.from(bytes))
        done()
      },
      onStream: echo,
    })
    const attach = (name: Buffer) => {
      const node = createSession({
        first: 1,
        name,
        write(bytes, done) {
          session.take(Buffer.from(bytes))
          done()
        },
      })
      attached = (bytes) => node.take(bytes)
      return node
    }
    return { session, attach }
  }

  it('begins anew in the middle of any frame', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (left) => {
        const { session, attach } = door()
        const first = attach(NAME)
        session.take(hello(NAME))
        expect(await talk(first.mux?.open() as Duplex, 'one')).toBe('one')
        // A frame that was begun, of any kind, and whatever else the last who was attached left.
        session.take(Buffer.concat([Buffer.from([2, 0, 0, 0, 1, 0, 0, 127, 255]), Buffer.from(left)]))
        const name = Buffer.from('fedcba9876543210')
        const second = attach(name)
        session.take(hello(name))
        expect(await talk(second.mux?.open() as Duplex, 'two')).toBe('two')
      }),
      { numRuns: 50 },
    )
  })

  it('hears no one who came before', () => {
    const { session, attach } = door()
    const node = attach(NAME)
    session.take(hello(Buffer.from('another one here')))
    expect(node.mux).toBeUndefined()
    session.take(Buffer.from('1\r\n0\r\n'))
    session.take(hello(NAME))
    expect(node.mux).toBeDefined()
  })

  it('ends what went over it', async () => {
    const { session, attach } = door()
    const first = attach(NAME)
    session.take(hello(NAME))
    first.mux?.open().write('x')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const before = session.mux
    expect(before?.streams).toBe(1)
    session.take(hello(Buffer.from('fedcba9876543210')))
    expect(before?.streams).toBe(0)
    expect(session.mux?.streams).toBe(0)
  })
})
