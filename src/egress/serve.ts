import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { messageOf } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { Egress } from './types.ts'

/** Connections of one process at once. */
const MAX_CONNECTIONS = 16
const MAX_PROBLEM = 300

/** The gateway of one process. */
export interface EgressServer extends AsyncDisposable {
  /** that have come from outside */
  readonly bytes: number
  /** open now */
  readonly connections: number
}

export const PROBLEM_HEADER = 'x-problem'

/**
 * The gateway's end of the pipe to a confined process: HTTP/2, of which only CONNECT is answered (RFC 9113, section 8.5).
 * 200: the stream is the connection. 403: `x-problem` says why not. Disposing ends every connection.
 */
export function serveEgress(egress: Egress, pipe: Duplex, { maxBytes }: { maxBytes: number }): EgressServer {
  const over = new AbortController()
  const server = createServer({ settings: { maxConcurrentStreams: MAX_CONNECTIONS }, maxSessionMemory: 16 })
  let bytes = 0
  let connections = 0
  /** with those that are being made */
  let open = 0

  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    const target = headers[':method'] === 'CONNECT' ? headers[':authority'] : undefined
    void connect(stream, target ?? '').catch((error) => refuse(stream, messageOf(error)))
  })

  async function connect(stream: ServerHttp2Stream, authority: string): Promise<void> {
    const [, host, port] = /^(.{1,260}):([0-9]{1,5})$/.exec(authority) ?? []
    if (host === undefined) return refuse(stream, 'only CONNECT host:port is answered')
    if (open >= MAX_CONNECTIONS) return refuse(stream, `no more than ${MAX_CONNECTIONS} connections at once`)
    open++
    const connection = await egress.connect(host, Number(port), { signal: over.signal }).catch((error) => {
      open--
      throw error
    })
    connection.once('close', () => {
      open--
      connections--
    })
    connections++
    if (stream.destroyed) return void connection.destroy()
    stream.respond({ [constants.HTTP2_HEADER_STATUS]: 200 })
    connection.on('data', (piece: Buffer) => {
      bytes += piece.byteLength
      if (bytes > maxBytes) connection.destroy(new Error('more came than may be downloaded'))
    })
    join(connection, stream)
  }

  server.emit('connection', pipe)
  return {
    get bytes() {
      return bytes
    },
    get connections() {
      return connections
    },
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
function join(connection: Duplex, stream: ServerHttp2Stream): void {
  connection.pipe(stream)
  stream.pipe(connection)
  connection.on('error', () => {})
  connection.once('close', () => {
    if (!connection.readableEnded) stream.close(constants.NGHTTP2_CONNECT_ERROR)
  })
  stream.once('close', () => connection.destroy())
}

function refuse(stream: ServerHttp2Stream, problem: string): void {
  if (stream.destroyed || stream.headersSent) return void stream.close(constants.NGHTTP2_CANCEL)
  // a header is latin1; a sentence of ours that quotes a name may not be
  const text = sanitizeText(problem, MAX_PROBLEM).replace(/[^ -~]/g, '?')
  stream.respond({ [constants.HTTP2_HEADER_STATUS]: 403, [PROBLEM_HEADER]: text }, { endStream: true })
}
