import { createServer, type IncomingMessage, request as requestHttp, type Server, type ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import { type EgressSession, MAX_CONNECTIONS } from './egress-session.ts'
import { isCut, joinConnection } from './join-connection.ts'

/** A client that has connected says what it wants in this time, or its place goes to another. */
const HEADERS_MS = 10_000
const LOOK_MS = 2000
const MAX_HEADER_BYTES = 8 * 1024

/** Not for the server behind it: they concern one connection (RFC 9110, section 7.6.1). */
const OWN_HEADERS = [
  ...['proxy-connection', 'proxy-authorization', 'connection', 'keep-alive'],
  ...['te', 'trailer', 'upgrade'],
]

/** An HTTP proxy: CONNECT, and requests without encryption, which name the whole address. */
export function createEgressProxy(session: EgressSession): Server {
  const server = createServer(
    {
      ...{ headersTimeout: HEADERS_MS, connectionsCheckingInterval: LOOK_MS, maxHeaderSize: MAX_HEADER_BYTES },
      // a body may take long; whoever holds a connection holds one of its own few
      requestTimeout: 0,
    },
    (request, response) => void forward(request, response).catch(() => response.destroy()),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    void tunnel(request.url ?? '', socket, head).catch(() => socket.destroy())
  })

  async function tunnel(authority: string, socket: Socket, head: Buffer): Promise<void> {
    const opened = await session.open(authority)
    if ('problem' in opened) {
      socket.end(`HTTP/1.1 403 ${opened.problem}\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.byteLength > 0) opened.stream.write(head)
    joinConnection(socket, opened.stream)
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '')
    if (url?.protocol !== 'http:') return void response.writeHead(400).end('only http: and CONNECT')
    const opened = await session.open(`${url.hostname}:${url.port || 80}`)
    if ('problem' in opened) return void response.writeHead(403).end(opened.problem)
    const { stream } = opened
    let answer: IncomingMessage | undefined
    response.once('close', () => stream.close(constants.NGHTTP2_CANCEL))
    // before the client of HTTP sees it, which takes what was cut for the end of an answer without a length
    stream.once('close', () => {
      if (answer?.complete !== true && isCut(stream)) response.destroy()
    })
    if (response.destroyed) return void stream.close(constants.NGHTTP2_CANCEL)
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.includes(name)))
    const sent = requestHttp({
      createConnection: () => stream as unknown as Socket,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, connection: 'close' },
    })
    sent.on('error', () => response.destroy())
    sent.once('response', (message) => {
      answer = message
      try {
        response.writeHead(message.statusCode ?? 502, message.headers)
        message.pipe(response)
      } catch {
        // a server says what cannot be said again, like a status of 99
        response.destroy()
      }
    })
    sent.once('close', () => {
      if (answer?.complete !== true) response.destroy()
    })
    request.pipe(sent)
  }

  return server
}
