import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { InputError, messageOf } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { createPacer } from './pacer.ts'
import type { Egress } from './types.ts'

/** Connections of one process at once, where nothing else is said. */
const MAX_CONNECTIONS = 16
const MAX_PROBLEM = 300

export type ServeOptions = {
  /** more than these do not come; undefined: as many as there are */
  readonly maxBytes?: number | undefined
  readonly maxConnections?: number | undefined
  /** What is faster waits: bytes of all connections together, both ways, and connections that are asked for. */
  readonly pace?:
    | { readonly clock: Clock; readonly bytesPerSecond?: number | undefined; readonly connectionsPerSecond: number }
    | undefined
}

/** The gateway of one process. */
export interface EgressServer extends AsyncDisposable {
  /** that have come from outside */
  readonly bytes: number
  /** that have gone there */
  readonly sentBytes: number
  /** connections that are open or being made */
  readonly attempts: number
  /** Resolves when the process, or whatever carries its pipe, is gone. */
  readonly ended: Promise<void>
}

export const PROBLEM_HEADER = 'x-problem'

/**
 * The gateway's end of the pipe to a confined process: HTTP/2, of which only CONNECT is answered (RFC 9113, section 8.5).
 * 200: the stream is the connection. 403: it may not be made, 502: it cannot be made now; `x-problem` says why. Disposing ends
 * every connection.
 */
export function serveEgress(egress: Egress, pipe: Duplex, options: ServeOptions): EgressServer {
  const { maxBytes = Number.POSITIVE_INFINITY, maxConnections = MAX_CONNECTIONS, pace } = options
  const over = new AbortController()
  const server = createServer({ settings: { maxConcurrentStreams: maxConnections }, maxSessionMemory: 16 })
  const attempts = pace && createPacer(pace.clock, pace.connectionsPerSecond)
  const bandwidth = pace?.bytesPerSecond === undefined ? undefined : createPacer(pace.clock, pace.bytesPerSecond)
  const ended = Promise.withResolvers<void>()
  let bytes = 0
  let sentBytes = 0
  let open = 0

  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    const target = headers[':method'] === 'CONNECT' ? headers[':authority'] : undefined
    void connect(stream, target ?? '').catch((error) => refuse(stream, messageOf(error), statusOf(error)))
  })
  pipe.on('error', () => {})
  pipe.once('close', () => {
    over.abort(new Error('the process has ended'))
    ended.resolve()
  })

  async function connect(stream: ServerHttp2Stream, authority: string): Promise<void> {
    if (open >= maxConnections) return refuse(stream, `no more than ${maxConnections} connections at once`)
    open++
    const connection = await reach(authority).catch((error) => {
      open--
      throw error
    })
    connection.once('close', () => {
      open--
    })
    if (stream.destroyed || over.signal.aborted) return void connection.destroy()
    stream.respond({ [constants.HTTP2_HEADER_STATUS]: 200 })
    connection.on('data', (piece: Buffer) => {
      bytes += piece.byteLength
      if (bytes > maxBytes) connection.destroy(new Error('more came than may be downloaded'))
    })
    stream.on('data', (piece: Buffer) => {
      sentBytes += piece.byteLength
    })
    join(connection, stream, () => bandwidth?.stream())
  }

  /** Whoever asks too often waits with what it holds, so that asking costs the node a bounded time. */
  async function reach(authority: string): Promise<Duplex> {
    await attempts?.pass(1, over.signal)
    const [, host, port] = /^(.{1,260}):([0-9]{1,5})$/.exec(authority) ?? []
    if (host === undefined) throw new InputError('only CONNECT host:port is answered')
    return egress.connect(host, Number(port), { signal: over.signal })
  }

  server.emit('connection', pipe)
  return {
    get bytes() {
      return bytes
    },
    get sentBytes() {
      return sentBytes
    },
    get attempts() {
      return open
    },
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      over.abort(new Error('the process has ended'))
      pipe.destroy()
      server.close()
    },
  }
}

/**
 * Both ways, each to its own end. A server may close the connection with its last byte: what it sent is still on its way to
 * the process then, and the stream ends after it.
 */
function join(connection: Duplex, stream: ServerHttp2Stream, paced: () => Duplex | undefined): void {
  pass(connection, paced(), stream)
  pass(stream, paced(), connection)
  connection.on('error', () => {})
  connection.once('close', () => {
    if (!connection.readableEnded) cut(stream)
  })
  // what came before a proper end is still on its way to the connection, which then ends by itself
  stream.once('close', () => {
    if (!stream.readableEnded || stream.rstCode !== constants.NGHTTP2_NO_ERROR) connection.destroy()
  })
}

/** Closing a stream ends it first, and what was cut would look complete: so there is no end to send. */
function cut(stream: ServerHttp2Stream): void {
  stream._final = (done) => done()
  stream.close(constants.NGHTTP2_CONNECT_ERROR)
}

/** Not a pipeline: that would end both ways with the first. */
function pass(from: Duplex, between: Duplex | undefined, to: Duplex): void {
  if (between === undefined) return void from.pipe(to)
  from.pipe(between).pipe(to)
  from.once('close', () => {
    if (!from.readableEnded) between.destroy()
  })
}

/** 403: asked again, it is refused again. */
function statusOf(error: unknown): number {
  return error instanceof InputError ? 403 : 502
}

function refuse(stream: ServerHttp2Stream, problem: string, status = 403): void {
  if (stream.destroyed || stream.headersSent) return void stream.close(constants.NGHTTP2_CANCEL)
  // a header is latin1; a sentence of ours that quotes a name may not be
  const text = sanitizeText(problem, MAX_PROBLEM).replace(/[^ -~]/g, '?')
  stream.respond({ [constants.HTTP2_HEADER_STATUS]: status, [PROBLEM_HEADER]: text }, { endStream: true })
}
