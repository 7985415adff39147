import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { TRANSPORT_PING_MS } from '../constants.ts'
import { createSession, hello } from '../gateway/handshake.ts'
import type { Engine } from './engine.ts'
import { nonce } from './nonce.ts'
import { type Attachment, attach } from './output/attach.ts'

/** A gateway answers in 60 ms, and one that has just been started in half a second; over a slow network in a few. */
const ANSWER_MS = 10_000

/** The transport to one gateway through its container's stdio. */
export type StdioTransport = {
  readonly closed: boolean
  open(): Duplex
  close(): void
}

/** Attaches to a gateway's container; throws an UnavailableError when nothing there speaks the gateway's protocol. */
export async function createStdioTransport(engine: Engine, clock: Clock, name: string): Promise<StdioTransport> {
  const id = nonce(clock, name)
  const begun = Promise.withResolvers<void>()
  begun.promise.catch(() => {})
  let attachment: Attachment | undefined
  let closed = false
  let answered = true
  let open = 0

  const session = createSession({
    first: 1,
    name: id,
    write: (bytes, done) => (attachment === undefined ? done(gone()) : attachment.write(bytes, done)),
    onBegin: begun.resolve,
    onLost: () => close(gone()),
  })

  function close(error: Error): void {
    if (closed) return
    closed = true
    pings.cancel()
    begun.reject(error)
    session.close(error)
    attachment?.close()
  }

  const pings = clock.every(TRANSPORT_PING_MS, () => {
    if (!answered) return close(gone())
    answered = false
    session.mux?.ping()
  })

  function count(change: 1 | -1): void {
    open += change
    if (open === 0 || (open === 1 && change === 1)) attachment?.hold(open > 0)
  }

  try {
    attachment = await attach(engine, name, {
      onBytes(bytes) {
        answered = true
        session.take(bytes)
      },
      onClose: (error) => close(gone(error)),
    })
    attachment.write(hello(id), () => {})
    using _late = clock.after(ANSWER_MS, () => close(gone()))
    await begun.promise
    attachment.hold(false)
  } catch (error) {
    close(gone(error))
    throw error
  }

  return {
    get closed() {
      return closed
    },
    open() {
      const stream = session.mux?.open()
      if (stream === undefined || closed) throw gone()
      count(1)
      stream.once('close', () => count(-1))
      return stream
    },
    close: () => close(new UnavailableError('the transport to the run was closed')),
  }
}

function gone(cause?: unknown): UnavailableError {
  return new UnavailableError('the transport to the run was lost', { cause })
}
