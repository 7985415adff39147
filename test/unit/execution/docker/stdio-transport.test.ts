import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import type { Engine } from '../../../../src/execution/docker/engine.ts'
import { createStdioTransport } from '../../../../src/execution/docker/stdio-transport.ts'
import { createSession } from '../../../../src/execution/gateway/handshake.ts'
import { talk } from '../../../fixtures/execution/run-fixture.ts'

/** An engine that hands out one attachment, with a gateway of echoes behind it that can fall silent. */
function attachable({ silent = false } = {}) {
  const [ours, theirs] = duplexPair()
  const state = { silent, asked: 0 }
  const framed = (bytes: Uint8Array, stream = 1) => {
    const head = Buffer.of(stream, 0, 0, 0, 0, 0, 0, 0)
    head.writeUInt32BE(bytes.byteLength, 4)
    return Buffer.concat([head, bytes])
  }
  const session = createSession({
    first: 2,
    write(bytes, done) {
      if (state.silent) return done()
      // Cut where no frame ends, with what the gateway writes elsewhere in between.
      const all = Buffer.concat([framed(Buffer.from('warning\n'), 2), framed(bytes)])
      theirs.write(all.subarray(0, 5))
      theirs.write(all.subarray(5), done)
    },
    onStream: (stream) => void stream.pipe(stream),
  })
  theirs.on('data', (bytes: Buffer) => session.take(bytes))
  const dial = (_options: object, done: (error: null, socket: Duplex) => void) => {
    state.asked++
    done(null, ours)
  }
  const docker = { modem: { dial } }
  const engine = { ask: <T>(call: (client: object) => Promise<T>) => call(docker) } as unknown as Engine
  return { engine, state, theirs }
}

describe('the way through a container’s stdio', () => {
  it('carries connections, whatever else is in the attachment', async () => {
    const { engine } = attachable()
    const transport = await createStdioTransport(engine, manualClock(), 'gateway')
    expect(await talk(transport.open(), 'hello')).toBe('hello')
    transport.close()
    expect(() => transport.open()).toThrow(/lost/)
  })

  it('is given up when nothing answers', async () => {
    const clock = manualClock()
    const made = createStdioTransport(attachable({ silent: true }).engine, clock, 'gateway')
    const refused = expect(made).rejects.toThrow(/lost/)
    await setTimeout(20)
    await clock.advance(10_000)
    await refused
  })

  it('is lost when it falls silent, and not while someone answers', async () => {
    const { engine, state } = attachable()
    const clock = manualClock()
    const transport = await createStdioTransport(engine, clock, 'gateway')
    for (let n = 0; n < 5; n++) {
      await clock.advance(15_000)
      await setTimeout(5)
    }
    expect(transport.closed).toBe(false)
    const error = once(transport.open(), 'error')
    state.silent = true
    await setTimeout(5)
    for (let n = 0; n < 3; n++) await clock.advance(15_000)
    expect(transport.closed).toBe(true)
    expect(await error).toMatchObject([{ message: expect.stringContaining('lost') }])
  })

  it('is lost with the attachment', async () => {
    const { engine, theirs } = attachable()
    const transport = await createStdioTransport(engine, manualClock(), 'gateway')
    const error = once(transport.open(), 'error')
    theirs.end()
    await error
    expect(transport.closed).toBe(true)
  })
})
