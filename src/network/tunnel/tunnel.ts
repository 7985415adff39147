import { Duplex } from 'node:stream'
import { MAX_TUNNEL_FRAME_BYTES, TUNNEL_WINDOW_BYTES } from '../../../protocols/limits.ts'
import {
  decodeFrame,
  decodeHello,
  decodeWelcome,
  encodeFrame,
  encodeHello,
  encodeWelcome,
  type TunnelFrame,
  type TunnelHello,
  type TunnelWelcome,
} from '../../../protocols/streams/tunnel.ts'
import { createTunnelCredit } from '../../../protocols/streams/tunnel-credit.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { BytePipe, MessageStream } from '../../base/stream.ts'
import { StreamBrokenError, TunnelResetError } from '../errors.ts'

/** Credit is handed back in lots of this size, so that it does not cost a frame for each frame. */
const CREDIT_LOT_BYTES = TUNNEL_WINDOW_BYTES / 4

/**
 * One end of a tunnel as a pipe. What is written waits for the other side's credit; what arrives waits here until it is
 * read, never more than the window, because credit is given back only for what was read. Ending the writable side ends
 * that direction alone; destroying the pipe resets both, with the reason.
 */
export function openTunnel(stream: MessageStream): BytePipe {
  const arrived: Uint8Array[] = []
  const credit = createTunnelCredit()
  let creditCame: (() => void) | undefined
  let consumed = 0
  let hungry = false
  let remoteEnded = false
  let ended = false

  const send = async (frame: TunnelFrame): Promise<void> => {
    credit.sent(frame)
    await stream.write(encodeFrame(frame))
  }
  const wakeWriter = () => {
    creditCame?.()
    creditCame = undefined
  }
  const giveBack = (bytes: number) => {
    consumed += bytes
    if (remoteEnded || (consumed < CREDIT_LOT_BYTES && credit.window > CREDIT_LOT_BYTES)) return
    const lot = consumed
    consumed = 0
    send({ is: 'credit', bytes: lot }).catch((error: unknown) => pipe.destroy(asError(error)))
  }
  const feed = () => {
    while (hungry && arrived.length > 0) {
      const bytes = arrived.shift() as Uint8Array
      hungry = pipe.push(bytes)
      giveBack(bytes.byteLength)
    }
    if (hungry && remoteEnded && arrived.length === 0) {
      hungry = false
      pipe.push(null)
    }
  }
  const finish = () => {
    if (ended && remoteEnded) stream.end().catch(() => {})
  }
  const count = (frame: TunnelFrame) => {
    try {
      credit.received(frame)
    } catch (cause) {
      throw new StreamBrokenError(messageOf(cause), { cause })
    }
  }
  const onFrame = (frame: TunnelFrame) => {
    count(frame)
    switch (frame.is) {
      case 'data':
        arrived.push(frame.bytes)
        return feed()
      case 'credit':
        return wakeWriter()
      case 'end':
        remoteEnded = true
        feed()
        return finish()
      case 'reset':
        throw new TunnelResetError(`the other side closed the tunnel: ${sanitizeText(frame.message)}`)
      default:
        frame satisfies never
    }
  }
  const receive = async () => {
    for (;;) {
      const encoded = await stream.read()
      if (encoded !== undefined) onFrame(decodeFrame(encoded))
      else if (remoteEnded) return
      else throw new StreamBrokenError('the tunnel was cut')
    }
  }
  const transmit = async (bytes: Uint8Array) => {
    for (let start = 0; start < bytes.byteLength; ) {
      while (credit.left === 0 && !pipe.destroyed) {
        await new Promise<void>((resolve) => {
          creditCame = resolve
        })
      }
      if (pipe.destroyed) return
      const part = bytes.subarray(start, start + Math.min(credit.left, MAX_TUNNEL_FRAME_BYTES))
      start += part.byteLength
      await send({ is: 'data', bytes: part })
    }
  }

  const pipe: Duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      hungry = true
      feed()
    },
    write(chunk: Uint8Array, _encoding, done) {
      transmit(chunk).then(() => done(), done)
    },
    final(done) {
      ended = true
      send({ is: 'end' }).then(() => {
        finish()
        done()
      }, done)
    },
    destroy(error, done) {
      wakeWriter()
      arrived.length = 0
      if (ended && remoteEnded) return done(error)
      const message = error === null ? 'closed' : sanitizeText(messageOf(error))
      const over = error ?? new StreamBrokenError('the tunnel was closed')
      const leave = () => {
        stream.abort(over)
        done(error)
      }
      // the other side knows the reason already, or cannot be reached
      if (error instanceof TunnelResetError || error instanceof StreamBrokenError) return leave()
      // not waited for: a side that stops reading blocks nothing, and ending the stream has a deadline
      send({ is: 'reset', message }).catch(() => {})
      stream.end().then(() => done(error), leave)
    },
  })
  receive().catch((error: unknown) => pipe.destroy(asError(error)))
  return pipe
}

/** Couples a tunnel with a pipe until both ways have ended. Rejects when either side fails; then both are destroyed. */
export async function serveTunnel(stream: MessageStream, pipe: BytePipe): Promise<void> {
  const tunnel = openTunnel(stream)
  try {
    await Promise.all([flow(tunnel, pipe), flow(pipe, tunnel)])
  } catch (error) {
    tunnel.destroy(asError(error))
    pipe.destroy(asError(error))
    throw error
  }
}

/** One direction, back-pressure and half-close included. (`pipeline` would destroy a duplex that ended only one way.) */
function flow(from: BytePipe, to: BytePipe): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error | undefined) => reject(error ?? new StreamBrokenError('the connection was closed'))
    from.on('error', fail)
    to.on('error', fail)
    from.on('close', () => (from.readableEnded ? undefined : fail(undefined)))
    to.on('close', () => (to.writableFinished ? resolve() : fail(undefined)))
    to.on('finish', resolve)
    from.pipe(to)
  })
}

export async function sendHello(stream: MessageStream, hello: TunnelHello): Promise<void> {
  await stream.write(encodeHello(hello))
}

export async function readHello(stream: MessageStream, options: { signal?: AbortSignal | undefined } = {}) {
  return decodeHello(await whole(stream, options))
}

export async function sendWelcome(stream: MessageStream, welcome: TunnelWelcome): Promise<void> {
  await stream.write(encodeWelcome(welcome))
}

export async function readWelcome(stream: MessageStream, options: { signal?: AbortSignal | undefined } = {}) {
  return decodeWelcome(await whole(stream, options))
}

async function whole(stream: MessageStream, options: { signal?: AbortSignal | undefined }): Promise<Uint8Array> {
  const encoded = await stream.read(options)
  if (encoded === undefined) throw new StreamBrokenError('the stream ended before the tunnel was opened')
  return encoded
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new StreamBrokenError(messageOf(error))
}
